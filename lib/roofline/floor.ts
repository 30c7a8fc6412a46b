import { DTYPES, type FloatType } from "../util/dtype.ts";
import type { ModelSpec } from "../model/spec.ts";
import { visitWeights } from "../model/graph/visit_weights.ts";

/** Memory of a model, from its shape. */
export interface ModelCost {
  /** Bytes of all weights, in the type computed in. */
  readonly weightBytes: number;
  /** Bytes of weights that a step of one token must read: see {@linkcode modelCost}. */
  readonly stepWeightBytes: number;
  /** Bytes of one entry's key and value, of all KV heads of one layer. */
  readonly entryBytes: number;
}

/**
 * Counts the bytes of a decoder and those that a step of one token must read. A step reads every weight once, but only
 * one row of lookup tables (the token embedding, learned positions). It reads the whole embedding if that is also the
 * output matrix. The rotary table's row is left out: it is a few hundred bytes.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../model/folder/model_folder.ts";
 * import { modelCost } from "./floor.ts";
 *
 * const { weightBytes, stepWeightBytes } = modelCost(openModelFolder("lib/assets/novel-neox-8m").spec, "float32");
 * console.log(weightBytes, weightBytes - stepWeightBytes); // 33662976 4193280, all but one of 4096 rows of 1 KiB
 * ```
 *
 * @param spec The decoder.
 * @param dtype The type that weights and cache have on the device.
 * @returns Bytes.
 */
export function modelCost(spec: ModelSpec, dtype: FloatType): ModelCost {
  const { bytes } = DTYPES[dtype];
  let all = 0, read = 0;
  for (const [name, shape] of weightShapes(spec)) {
    const count = shape.reduce((a, b) => a * b, bytes);
    all += count;
    read += isLookedUp(spec, name) ? count / shape[0]! : count;
  }
  return { weightBytes: all, stepWeightBytes: read, entryBytes: 2 * spec.kvHeads * spec.headDim * bytes };
}

/**
 * Counts the floating-point operations of a prefill: two for each matrix element and token, with the output matrix for
 * the last token only, and causal attention, of which only the unmasked half counts. Norms, activations, rotation and
 * softmax are left out, as is usual.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../model/folder/model_folder.ts";
 * import { prefillFlops } from "./floor.ts";
 *
 * const { spec } = openModelFolder("lib/assets/novel-neox-8m");
 * console.log(prefillFlops(spec, 512) / 512 / 2 > 6.29e6); // true: the blocks' matrices have 6.29 million numbers
 * ```
 *
 * @param spec The decoder.
 * @param tokens Tokens of the prompt.
 * @returns The number of operations.
 */
export function prefillFlops(spec: ModelSpec, tokens: number): number {
  const head = spec.head.weight;
  let matrices = 0;
  for (const [name, shape] of weightShapes(spec)) {
    if (shape.length === 2 && name !== head && !isLookedUp(spec, name)) matrices += shape[0]! * shape[1]!;
  }
  const pairs = tokens * (tokens + 1) / 2; // query and key
  const attention = 4 * spec.layers * spec.heads * spec.headDim * pairs; // scores, and the sum of values
  return 2 * matrices * tokens + 2 * spec.vocab * spec.hidden + attention;
}

/**
 * Returns the least time of a step: the bytes it must read, over the rate at which memory is read.
 *
 * @example
 * ```ts
 * import { floorSeconds } from "./floor.ts";
 *
 * console.log(floorSeconds(5.55e9, 3.03e12)); // 0.00183…, s
 * ```
 *
 * @param bytes Bytes that must be read.
 * @param bandwidth Bytes per second.
 * @returns Seconds.
 */
export function floorSeconds(bytes: number, bandwidth: number): number {
  return bytes / bandwidth;
}

/** Each weight once, by its name in the checkpoint. */
function weightShapes(spec: ModelSpec): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  visitWeights(spec, (name, shape) => shapes.set(name, shape));
  return shapes;
}

/** Whether a step reads one row of a weight. */
function isLookedUp(spec: ModelSpec, name: string): boolean {
  return name === spec.learned?.weight || name === spec.embedding && name !== spec.head.weight;
}
