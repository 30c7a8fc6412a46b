import type { FloatType } from "../../util/dtype.ts";
import type { StepKernels } from "../../kernels/kernels.ts";
import type { Graph, Tensor } from "../../onnx/graph.ts";
import type { CustomOps } from "../../ort/custom_ops.ts";
import { headRows } from "./head_rows.ts";
import type { Heads, HeadsOp, Product } from "./layer_ops.ts";
import { rotations } from "./rope/rope.ts";
import type { ModelSpec, Projections } from "../spec.ts";

/**
 * Makes a prompt's queries, keys and values from the projections' results in one of the project's kernels: adds biases,
 * splits and rotates. ONNX Runtime needs four operators, each of which reads and writes all of it.
 */
export class PromptHeads implements HeadsOp {
  readonly #tables: readonly Tensor[];

  /**
   * @param positions Of the tokens, int64 `[1, tokens]`; undefined if keys are rotated when they are read.
   */
  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly kernels: StepKernels,
    readonly ops: CustomOps,
    readonly options: { readonly dtype: FloatType; readonly maxPositions: number },
    positions: Tensor | undefined,
  ) {
    this.#tables = [];
    if (!spec.rope || !positions) return;
    const { cos, sin } = rotations(spec.rope, options.maxPositions);
    const shape = [options.maxPositions, spec.rope.dim / 2];
    this.#tables = [g.constant("float32", shape, cos), g.constant("float32", shape, sin), positions];
  }

  /**
   * `products`: one for packed projections, otherwise of queries, keys and values. Returns `[tokens, heads * headDim]`
   * each.
   */
  emit(products: readonly Product[], qkv: Projections): Heads {
    const { g, spec, spec: { heads, kvHeads, headDim, rope }, options: { dtype } } = this;
    const biased = products.filter(({ bias }) => bias !== undefined);
    const inputs = [...products.map(({ product }) => product), ...biased.map(({ bias }) => bias!), ...this.#tables];
    const outputs = [heads, kvHeads, kvHeads].map((heads) => ({
      dtype,
      shape: (given: readonly { readonly shape: readonly number[] }[]) => [given[0]!.shape[0]!, heads * headDim],
    }));
    const [query, key, value] = this.ops.call(g, inputs, outputs, (given, out) => {
      const [cosine, sine, positions] = given.slice(products.length + biased.length);
      const rows = headRows(spec, qkv, dtype, given.slice(0, products.length).map(({ pointer }) => pointer));
      const bias = headRows(spec, qkv, dtype, products.map((p) => given[inputs.indexOf(p.bias!)]?.pointer ?? null));
      const part = (name: keyof typeof rows, index: number) => ({
        rows: rows[name].pointer,
        bias: bias[name].pointer,
        headStride: rows[name].stride,
        tokenStride: "packed" in qkv ? (heads + 2 * kvHeads) * headDim : (index === 0 ? heads : kvHeads) * headDim,
        out: out[index]!,
      });
      this.kernels.heads({
        query: part("query", 0),
        key: part("key", 1),
        value: part("value", 2),
        cosine: cosine?.pointer,
        sine: sine?.pointer,
        positions: positions?.pointer,
        tokens: given[0]!.shape[0]!,
        rotaryDim: rope?.dim ?? 0,
        heads,
        kvHeads,
        headDim,
      });
    }) as [Tensor, Tensor, Tensor];
    return { query, key, value, rotated: true };
  }
}
