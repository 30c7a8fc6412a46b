import { average, formatPhases } from "./phase_table.ts";
import type { ConfigurationRecord, Failure, RawResult } from "../results/types.ts";
import type { MemoryFigures } from "../results/memory_types.ts";

interface Column {
  title: string;
  figure: Exclude<keyof MemoryFigures, "phases">;
}

const COLUMNS: readonly Column[] = [
  { title: "Weights", figure: "weights" },
  { title: "KV held", figure: "kv_held" },
  { title: "KV allocated", figure: "kv_allocated" },
  { title: "Allocator peak", figure: "allocator_peak" },
  { title: "Process peak", figure: "process_peak" },
  { title: "Before load", figure: "process_before" },
];

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** Least width of the name column: that of the other tables. */
const NAME_WIDTH = 22;
const WIDTH = 12;

/** Fields of results.json that {@linkcode formatMemory} reads. */
export interface MemoryResults {
  raw_results: readonly Pick<RawResult, "method" | "memory">[];
  configurations: readonly Pick<ConfigurationRecord, "name" | "status">[];
  failures: readonly Pick<Failure, "method" | "reason">[];
}

/**
 * Formats where the memory goes, as a table: averages over the samples, one configuration per line.
 *
 * Weights and the bytes of K and V, theoretical and allocated, are counted. The allocator's peak is ONNX Runtime's own
 * count. The process's peak is NVML's, over what the process had before the model was loaded. So a line reads from left
 * to right from what is necessary to what is used. Unavailable figures are "-": on a CPU, those of NVML. A second
 * table, from {@linkcode formatPhases}, gives the same by phase.
 *
 * @param results Raw results, configurations and failures of a run.
 * @returns The lines joined by "\n", without one at the end.
 *
 * @example
 * ```ts
 * import { formatMemory } from "./memory_table.ts";
 *
 * const memory = { weights: 33_554_432, kv_held: 786_432, kv_allocated: 1_048_576,
 *   allocator_peak: 34_603_008, process_peak: null, process_before: null };
 * console.log(formatMemory({
 *   raw_results: [{ method: "streaming_256", memory }],
 *   configurations: [{ name: "streaming_256", status: "done" }], failures: [],
 * }));
 * // Memory                     Weights       KV held  KV allocated  Allocator peak  Process peak   Before load
 * // ----------------------------------------------------------------------------------------------------------
 * // streaming_256            32.00 MiB      0.75 MiB      1.00 MiB       33.00 MiB             -             -
 * // ==========================================================================================================
 * ```
 */
export function formatMemory(results: MemoryResults): string {
  const { raw_results, configurations, failures } = results;
  const name = Math.max(NAME_WIDTH, ...configurations.map(({ name }) => name.length));
  const widths = COLUMNS.map(({ title }) => Math.max(WIDTH, title.length));
  const line = (first: string, cells: readonly string[]) =>
    first.padEnd(name) + cells.map((cell, index) => (index === 0 ? "" : "  ") + cell.padStart(widths[index]!)).join("");
  const title = line("Memory", COLUMNS.map(({ title }) => title));
  const rows = configurations.map(({ name, status }) => {
    const samples = raw_results.filter(({ method }) => method === name);
    if (samples.length > 0) {
      return line(
        name,
        COLUMNS.map(({ figure }) => formatBytes(average(samples.map(({ memory }) => memory?.[figure] ?? null)))),
      );
    }
    const reason = failures.find(({ method }) => method === name)?.reason;
    const said = status === "not run" ? "not run" : `failed${reason === undefined ? "" : `: ${reason}`}`;
    const text = `${line(name, [])}  ${said.replaceAll(/\s+/g, " ").trim()}`;
    return text.length <= title.length ? text : `${text.slice(0, title.length - 1)}…`;
  });
  const phases = formatPhases(results);
  return [
    title,
    "-".repeat(title.length),
    ...rows,
    "=".repeat(title.length),
    ...(phases === "" ? [] : ["", phases]),
  ].join("\n");
}

/**
 * Formats bytes in MiB, from one GiB on in GiB. Each figure has its unit: a cache's figures are far from the weights'.
 */
function formatBytes(bytes: number | null): string {
  if (bytes === null) return "-";
  return bytes < GIB ? `${(bytes / MIB).toFixed(2)} MiB` : `${(bytes / GIB).toFixed(2)} GiB`;
}
