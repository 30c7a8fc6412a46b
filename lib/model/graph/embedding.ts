import type { Tensor } from "../../onnx/graph.ts";
import type { LayerOps, Residual } from "./layer_ops.ts";

/**
 * Returns the first block's input, `[tokens, hidden]`: embeddings of tokens, plus those of positions if these are
 * learned.
 */
export function emitEmbedding(parts: LayerOps, ids: Tensor, positions: Tensor | undefined): Residual {
  const { g, spec, weights, options: { dtype } } = parts;
  const { projected } = spec;
  const rowsOf = g.op("Gather", [weights.get(spec.embedding, [spec.vocab, projected?.width ?? spec.hidden]), ids]);
  const tokens = projected ? parts.linear(rowsOf, projected.in, [spec.hidden, projected.width]) : rowsOf;
  const base = spec.embeddingScale === undefined
    ? tokens
    : g.op("Mul", [tokens, g.cast(g.scalar(spec.embeddingScale), "float32", dtype)]);
  const { learned } = spec;
  if (!learned) return { base };
  if (!positions) throw new TypeError("Cannot look up learned positions: the tokens have none");
  const table = weights.get(learned.weight, [spec.maxPositions + learned.offset, spec.hidden]);
  const places = g.reshape(positions, -1);
  const rows = learned.offset ? g.op("Add", [places, g.ints(learned.offset)]) : places;
  return { base, added: g.op("Gather", [table, rows]) };
}
