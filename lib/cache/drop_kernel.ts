import { compileScore } from "../kernels/drop_program.ts";
import type { StepKernels } from "../kernels/kernels.ts";
import { sumsOf } from "../kernels/structs.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import type { CustomOps } from "../ort/custom_ops.ts";
import type { DropOptions } from "./drop_graph.ts";
import { attentionShape } from "./entry_state.ts";

/**
 * Writes single-slot eviction after a step of the project's own kernels: the same as {@linkcode emitDrop} writes with
 * ONNX Runtime's operators, in one kernel. It takes the same inputs and writes to them in place.
 *
 * @param shareLayer Whether all rows of a layer see the mean of the layer's attention.
 * @throws {TypeError} If the kernel cannot compute the score: see compileScore.
 */
export function emitDropKernel(
  g: Graph,
  ops: CustomOps,
  kernels: StepKernels,
  { actingLayers, kvHeads, headDim, dtype, score, kept, after }: Omit<DropOptions, "observed">,
): void {
  const program = compileScore(score);
  if (!program) throw new TypeError("Cannot write eviction as a kernel: its score does not compile");
  const rows = actingLayers * kvHeads;
  const perSlot = [rows, "width"];
  const { attention } = kept;
  const window = attention?.from === "last" ? attention.window : 0;
  const inputs: Record<string, Tensor> = {
    after,
    keys: g.input("keys", dtype, ["slots", headDim]),
    values: g.input("values", dtype, ["slots", headDim]),
    rank: g.input("rank", "float32", perSlot),
    starts: g.input("starts", "int64", [rows, 1]),
    slot: g.input("slot", "float32", [1, "width"]),
    drop_ranges: g.input("drop_ranges", "float32", [4, actingLayers]),
  };
  if (kept.norms) inputs.keyNorm = g.input("key_norm", "float32", perSlot);
  if (kept.textPositions) {
    inputs.text_position = g.input("text_position", "float32", perSlot);
    inputs.textIndex = g.input("text_index", "float32", [1]);
  }
  if (attention) inputs.attention = g.input("attention", "float32", attentionShape(attention, rows, "width"));
  if (window) inputs.ringIndex = g.input("ring_indices", "int64", [1]);
  if (program.means > 0) inputs.sums = g.input("sums", "float32", [rows, sumsOf(program, headDim)]);
  if (program.reads.has("random")) inputs.draw = g.input("draw", "int64", [1]);
  const names = Object.keys(inputs);
  const [done] = ops.call(g, Object.values(inputs), [{ dtype: "float32", shape: [1] }], (given) => {
    const at = Object.fromEntries(names.map((name, i) => [name, given[i]!.pointer]));
    const width = given[names.indexOf("rank")]!.shape[1]!;
    kernels.drop({
      rows,
      layers: actingLayers,
      kvHeads,
      headDim,
      width,
      keys: at.keys!,
      values: at.values!,
      starts: at.starts!,
      rank: at.rank!,
      dropRanges: at.drop_ranges!,
      keyNorm: at.keyNorm,
      textPosition: at.text_position,
      textIndex: at.textIndex,
      attention: at.attention,
      observed: attention ? kernels.observed(rows, width) : null,
      ringIndex: at.ringIndex,
      draw: at.draw,
      sums: at.sums,
      window,
      shareLayer: attention?.from === "last" && attention.share === "layer",
      program,
    });
  }) as [Tensor];
  g.output("done", done, "float32", [1]);
}
