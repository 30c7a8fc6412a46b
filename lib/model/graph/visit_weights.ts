import { Graph, type Tensor } from "../../onnx/graph.ts";
import { emitDecoder } from "./decoder.ts";
import type { ModelSpec } from "../spec.ts";

/**
 * Visits the weights that a decoder uses, in its order; one used twice is visited twice. It runs the code that writes
 * the graph, so no separate list of names and shapes is needed.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../folder/model_folder.ts";
 * import { visitWeights } from "./visit_weights.ts";
 *
 * const { spec } = openModelFolder("lib/assets/novel-neox-8m");
 * let parameters = 0;
 * visitWeights(spec, (_name, shape) => parameters += shape.reduce((a, b) => a * b));
 * console.log(parameters); // 8415744
 * ```
 *
 * @param spec The decoder.
 * @param visit Called with each weight's name in the checkpoint and its shape. What it throws ends the visit.
 */
export function visitWeights(spec: ModelSpec, visit: (name: string, shape: readonly number[]) => void): void {
  const get = (name: string, shape: readonly number[]) => {
    visit(name, shape);
    return name as Tensor;
  };
  emitDecoder(new Graph("weights"), spec, { get }, {
    dtype: "float32",
    device: "cpu",
    attention: "explicit",
    maxPositions: 1,
    rotate: "write",
    groups: new Array(spec.layers).fill(0),
  });
}
