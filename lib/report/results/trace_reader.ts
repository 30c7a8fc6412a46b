import { type JsonReader, list, number, object, string } from "./json_reader.ts";
import type { Run, Trace, TraceSnapshot } from "./trace_types.ts";

/** A whole number, 0 or more. */
const count: JsonReader<number> = (value, path) => {
  const found = number(value, path);
  if (!Number.isSafeInteger(found) || found < 0) throw new TypeError(`${path} is ${found}, a count is needed`);
  return found;
};

/** Runs of one head. A file may have millions: a path is made only for a wrong one. */
const runs: JsonReader<Run[]> = (value, path) => {
  if (!Array.isArray(value)) return list(list(number))(value, path);
  let next = 0;
  value.forEach((run: unknown, index) => {
    const [first, count] = Array.isArray(run) && run.length === 2 ? run : [];
    if (Number.isSafeInteger(first) && Number.isSafeInteger(count) && first >= next && count > 0) {
      next = first + count;
      return;
    }
    throw new TypeError(
      `${path}[${index}] is ${JSON.stringify(run)}, [first, count] from position ${next} on is needed`,
    );
  });
  return value;
};

const shape: JsonReader<Trace> = object<Trace>({
  configuration: string,
  positions: string,
  skip_layers: list(count),
  layers: count,
  kv_heads: count,
  snapshots: list(object<TraceSnapshot>({ step: count, tokens: count, held: list(list(runs)) })),
});

/**
 * Reads a parsed trace: the counterpart of {@linkcode Trace} at run time. It also checks the parts against each other:
 * the numbers of layers and heads, and that every position held had been read.
 *
 * @example
 * ```ts
 * import { traceShape } from "./trace_reader.ts";
 *
 * try {
 *   traceShape({ configuration: "mine", positions: "absolute", skip_layers: [], layers: 1, kv_heads: 1,
 *     snapshots: [{ step: 9, tokens: 10, held: [[[[0, 11]]]] }] }, "");
 * } catch (error) {
 *   console.log((error as Error).message); // "snapshots[0].held[0][0] holds position 10, only 10 tokens were read"
 * }
 * ```
 */
export const traceShape: JsonReader<Trace> = (value, path) => {
  const trace = shape(value, path);
  trace.snapshots.forEach(({ tokens, held }, index) => {
    const at = `snapshots[${index}].held`;
    if (held.length !== trace.layers) {
      throw new TypeError(`${at} has ${held.length} layers, layers is ${trace.layers}`);
    }
    held.forEach((heads, layer) => {
      if (heads.length !== 0 && heads.length !== trace.kv_heads) {
        throw new TypeError(`${at}[${layer}] has ${heads.length} heads, kv_heads is ${trace.kv_heads}`);
      }
      heads.forEach((runs, head) => {
        const [first, count] = runs.at(-1) ?? [0, 0];
        if (first + count <= tokens) return;
        throw new TypeError(
          `${at}[${layer}][${head}] holds position ${first + count - 1}, only ${tokens} tokens were read`,
        );
      });
    });
  });
  return trace;
};
