import { crc32 } from "node:zlib";
import { join } from "@std/path";
import { readJson } from "./read_json.ts";
import { cannotWrite } from "./results_folder.ts";
import { traceShape } from "./trace_reader.ts";
import type { Run, Trace } from "./trace_types.ts";
import { writeAtomic } from "../../util/write_atomic.ts";

/**
 * Converts positions to runs of consecutive ones: a window of 1020 entries becomes one pair of numbers.
 *
 * @param positions Ascending, each once.
 * @returns `[first, count]` of each run, ascending.
 * @throws {RangeError} If they do not ascend: the runs would be wrong.
 *
 * @example
 * ```ts
 * import { runsOf } from "./trace.ts";
 *
 * console.log(runsOf([0, 1, 2, 3, 90, 92, 93])); // [ [ 0, 4 ], [ 90, 1 ], [ 92, 2 ] ]
 * ```
 */
export function runsOf(positions: ArrayLike<number>): Run[] {
  const runs: Run[] = [];
  let next = -1;
  for (let index = 0; index < positions.length; index++) {
    const position = positions[index]!;
    if (position === next && runs.length > 0) {
      runs.at(-1)![1]++;
    } else if (position >= Math.max(0, next)) {
      runs.push([position, 1]);
    } else {
      throw new RangeError(`Cannot tell runs: position ${position} stands at ${index}, ${next} or more is needed`);
    }
    next = position + 1;
  }
  return runs;
}

/**
 * Returns the name of a trace's file in a run's folder. Different configurations have different files: if a character
 * of the name is not fit for a file, a checksum of the name is appended.
 *
 * @param configuration The configuration's name.
 * @returns `trace_{configuration}.json`
 *
 * @example
 * ```ts
 * import { traceFileName } from "./trace.ts";
 *
 * console.log(traceFileName("streaming_256@cache")); // "trace_streaming_256@cache.json"
 * console.log(traceFileName("mine: half/half")); // "trace_mine_half_half-7adaf678.json"
 * ```
 */
export function traceFileName(configuration: string): string {
  // File names end at 255 bytes; the characters allowed here are one byte each and safe on Windows too.
  const safe = configuration.replaceAll(/[^A-Za-z0-9._=@+,-]+/g, "_").slice(0, 120);
  const sum = safe === configuration ? "" : `-${crc32(configuration).toString(16).padStart(8, "0")}`;
  return `trace_${safe}${sum}.json`;
}

/**
 * Whether a file of a run's folder is a trace, by its name.
 *
 * @param name A file name, as from {@linkcode traceFileName}.
 *
 * @example
 * ```ts
 * import { isTraceFile } from "./trace.ts";
 *
 * console.log(isTraceFile("trace_streaming_256.json"), isTraceFile("results.json")); // true false
 * ```
 */
export function isTraceFile(name: string): boolean {
  return name.startsWith("trace_") && name.endsWith(".json");
}

/**
 * Writes a trace into a run's folder, over an earlier one of the same configuration. A reader never sees half a file.
 *
 * @param folder The run's folder.
 * @param trace What was held.
 * @returns The path of the file.
 * @throws {InputError} If it cannot be written.
 *
 * @example
 * ```ts
 * import { readTrace, runsOf, writeTrace } from "./trace.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const held = [[], [runsOf([0, 1, 2, 3, 97, 98, 99])]]; // layer 0 holds everything, layer 1 has one head
 * const path = await writeTrace(folder, {
 *   configuration: "streaming_7", positions: "absolute", skip_layers: [0], layers: 2, kv_heads: 1,
 *   snapshots: [{ step: 99, tokens: 100, held }],
 * });
 * console.log((await readTrace(path)).snapshots[0]?.held[1]?.[0]); // [ [ 0, 4 ], [ 97, 3 ] ]
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeTrace(folder: string, trace: Trace): Promise<string> {
  const path = join(folder, traceFileName(trace.configuration));
  try {
    await writeAtomic(path, formatTrace(trace));
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  return path;
}

/**
 * Reads a trace and checks it: its shape, and that the positions held had been read.
 *
 * @param path The file.
 * @returns Its content.
 * @throws {InputError} If the file does not exist, it is not JSON, or a field is wrong; names the field.
 *
 * @example
 * ```ts
 * import { readTrace } from "./trace.ts";
 *
 * async function entriesOfLayer(folder: string, layer: number) {
 *   const trace = await readTrace(`${folder}/trace_streaming_256.json`);
 *   return trace.snapshots.at(-1)?.held[layer]?.map((runs) => runs.reduce((sum, [, count]) => sum + count, 0));
 * }
 * ```
 */
export function readTrace(path: string): Promise<Trace> {
  return readJson(path, traceShape);
}

/** Formats JSON with one line per layer: compact, and still easy to find a layer in. */
function formatTrace({ snapshots, ...head }: Trace): string {
  const fields = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  const moments = snapshots.map(({ held, ...moment }) => {
    const layers = held.map((layer) => `      ${JSON.stringify(layer)}`).join(",\n");
    return `    ${JSON.stringify(moment).slice(0, -1)},"held":[\n${layers}\n    ]}`;
  });
  return `{\n${fields.join("")}  "snapshots": [\n${moments.join(",\n")}\n  ]\n}\n`;
}
