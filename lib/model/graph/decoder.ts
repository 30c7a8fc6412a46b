import { InputError } from "../../util/errors.ts";
import { Graph, type Tensor } from "../../onnx/graph.ts";
import { AttentionOps } from "./attention/attention.ts";
import type { Decoder, DecoderOptions } from "./decoder_options.ts";
import { fusedObstacle } from "./attention/fused.ts";
import { noRotation } from "../positions.ts";
import { emitEmbedding } from "./embedding.ts";
import { emitHead } from "./head.ts";
import { LayerOps, type Residual } from "./layer_ops.ts";
import type { Block, ModelSpec, Norm } from "../spec.ts";
import { type Checkpoint, Weights, type WeightSource } from "./weights.ts";

/**
 * Writes the decoder: one forward pass of `tokens` new tokens over the cache, batch 1.
 *
 * Inputs: `input_ids` int64 `[tokens]`; `position_ids` int64 `[1, tokens]`; `target` int64 `[1]`; for each group of
 * layers the number of entries, in the form that attention needs; for each layer l `past_key.l`, `past_value.l`
 * `[1, kvHeads, capacity, headDim]`, to be bound to the same memory as the outputs `present_key.l`, `present_value.l`:
 * the new entries are written after the valid ones, in place.
 *
 * Outputs, for the last new token: `nll` float32 `[1]`, its negative log-likelihood of `target`, nats; `argmax` int64
 * `[1]`; and, if requested, `logits` float32 `[tokens, vocab]`, or `[1, vocab]` of the last one.
 *
 * With `rows`, the pass has that many tokens, and also outputs `predicted` int64 `[tokens]`, the token after each. What
 * is computed of a token is computed as in a pass of this token alone: products whose kernel depends on the number of
 * rows run row by row. The fused form then writes its entries one after another, and outputs the cache after each but
 * the last: `present_key.l.row`, `present_value.l.row`, to be bound to the same memory.
 *
 * @example
 * ```ts
 * import { buildDecoder } from "./decoder.ts";
 * import { openModelFolder } from "../folder/model_folder.ts";
 *
 * const model = openModelFolder("lib/assets/novel-neox-8m");
 * const { bytes, weightBytes } = buildDecoder(model, {
 *   dtype: "float32",
 *   device: "cpu",
 *   attention: "fused",
 *   maxPositions: 2048,
 *   rotate: "write",
 *   groups: new Array(model.spec.layers).fill(0),
 * });
 * console.log(bytes.length < weightBytes); // true: the weights stay in their files
 * ```
 *
 * @param model The model.
 * @param options What the decoder is built for.
 * @returns The graph and where its weights are.
 * @throws {InputError} If the attention form cannot be used with the model.
 */
export function buildDecoder(model: Checkpoint & { readonly spec: ModelSpec }, options: DecoderOptions): Decoder {
  const obstacle = options.attention === "fused" ? fusedObstacle(model.spec, options) : undefined;
  if (obstacle !== undefined) {
    throw new InputError(`Cannot use --attention fused: ${obstacle}; --attention explicit takes any`);
  }
  if (options.rotate === "read" && !model.spec.rope) {
    throw new InputError(`Cannot use --positions cache: ${noRotation(model.spec)}`);
  }
  const g = new Graph("decoder", 24);
  const weights = new Weights(model, g, options.dtype);
  emitDecoder(g, model.spec, weights, options);
  options.weights?.(g, weights.tensors);
  return { bytes: g.encode(), weightsFolder: weights.folder, weightBytes: weights.bytes, names: g.names };
}

/**
 * Writes the nodes of {@linkcode buildDecoder} into a graph, with weights from anywhere.
 *
 * @example With weights that are fed as inputs
 * ```ts
 * import { Graph } from "../../onnx/graph.ts";
 * import { emitDecoder } from "./decoder.ts";
 * import { openModelFolder } from "../folder/model_folder.ts";
 *
 * const { spec } = openModelFolder("lib/assets/novel-neox-8m");
 * const g = new Graph("decoder", 24);
 * emitDecoder(g, spec, { get: (name, shape) => g.input(name, "float32", shape) }, {
 *   dtype: "float32",
 *   device: "cpu",
 *   attention: "fused",
 *   maxPositions: 2048,
 *   rotate: "write",
 *   groups: new Array(spec.layers).fill(0),
 * });
 * ```
 *
 * @param g The graph.
 * @param spec The decoder.
 * @param weights Where its weights come from.
 * @param options What it is built for.
 */
export function emitDecoder(g: Graph, spec: ModelSpec, weights: WeightSource, options: DecoderOptions): void {
  // The dimension of tokens has no name (see Dim): this about halves the peak memory of a prompt's pass.
  const ids = g.input("input_ids", "int64", [null]);
  const positions = options.rotate === "write" ? g.input("position_ids", "int64", [1, null]) : undefined;
  const byRow = options.sums === "pass" ? { ...options, rows: undefined } : options;
  const parts = new LayerOps(g, spec, weights, byRow, options.heads?.(g, positions));
  const attention = new AttentionOps(g, spec, byRow, positions);

  let x = emitEmbedding(parts, ids, positions);
  for (let layer = 0; layer < spec.layers; layer++) x = emitBlock(parts, attention, layer, spec.block(layer), x);

  const after = emitHead(g, parts, spec, x, options);
  options.then?.(g, { after, observed: attention.observed });
}

/** One block: attention and MLP around the residual stream. */
function emitBlock(parts: LayerOps, attention: AttentionOps, layer: number, block: Block, x: Residual): Residual {
  const { g, spec: { heads, headDim, hidden, residual } } = parts;
  const attend = (read: Tensor) =>
    parts.product(attention.emit(layer, parts.heads(read, block.attention)), block.attention.out, [
      hidden,
      heads * headDim,
    ]);
  if (residual === "post") {
    const base = parts.sum(x);
    const attended = attend(base);
    const mid = parts.normed({ base, added: attended.product, bias: attended.bias }, block.attention.norm).normed;
    const mlp = parts.mlp(mid, block.mlp);
    return { base: parts.normed({ base: mid, added: mlp.product, bias: mlp.bias }, normOf(block.mlp)).normed };
  }
  const { normed, sum } = parts.normed(x, block.attention.norm);
  const attended = attend(normed);
  if (residual === "parallel") {
    const mlp = parts.mlp(block.mlp.norm ? parts.norm(sum, block.mlp.norm) : normed, block.mlp);
    const base = g.op("Add", [sum, attended.product]);
    return { base, added: mlp.product, bias: parts.sumOfBiases(attended, mlp) };
  }
  const mid = parts.normed({ base: sum, added: attended.product, bias: attended.bias }, normOf(block.mlp));
  const mlp = parts.mlp(mid.normed, block.mlp);
  return { base: mid.sum, added: mlp.product, bias: mlp.bias };
}

function normOf({ norm }: Block["mlp"]): Norm {
  if (!norm) throw new TypeError("Cannot write a block that is not parallel: its MLP has no normalization");
  return norm;
}
