import type { ConfigurationRecord, RawResult } from "../results/types.ts";
import type { MemoryPhase, PhaseMemory } from "../results/memory_types.ts";

const PHASES: readonly MemoryPhase[] = ["load", "prefill", "decode"];

interface Column {
  /** Title over the column, or over it and the next one. */
  title: string;
  below: string;
  figure: (phase: PhaseMemory) => number | null;
}

/** Two columns: the peak in a phase and the level at its end. */
const levels = (title: string, figure: "kv_held" | "kv_allocated" | "allocator" | "process"): Column[] => [
  { title: "", below: "peak", figure: (phase) => phase[figure].peak },
  { title, below: "end", figure: (phase) => phase[figure].end },
];

const COLUMNS: readonly Column[] = [
  ...levels("KV held", "kv_held"),
  ...levels("KV allocated", "kv_allocated"),
  { title: "Weights", below: "block", figure: ({ weights }) => weights ?? null },
  ...levels("ORT in use", "allocator"),
  { title: "ORT", below: "reserved", figure: ({ allocator_reserved }) => allocator_reserved },
  { title: "Buffers", below: "end", figure: ({ buffers }) => buffers },
  ...levels("Process", "process"),
  { title: "Host", below: "RSS", figure: ({ host_rss }) => host_rss },
];

const WIDTH = 9;
const PHASE_WIDTH = 8;
const TITLE = "Memory by phase, MiB";
const MIB = 2 ** 20;

/** Fields of results.json that {@linkcode formatPhases} reads. */
export interface PhaseResults {
  raw_results: readonly Pick<RawResult, "method" | "memory">[];
  configurations: readonly Pick<ConfigurationRecord, "name">[];
}

/**
 * Formats memory by phase, as a table: averages over the samples, three lines for each configuration, all in MiB so
 * that columns can be subtracted. What the process holds in addition to the weights' block, ORT's reserved memory and
 * the buffers (keys and values among them) belongs to the libraries: kernels, handles, CUDA graphs.
 *
 * @param results Raw results and configurations of a run.
 * @returns The lines joined by "\n", without one at the end; "" if no result has such figures.
 *
 * @example
 * ```ts
 * import { formatPhases } from "./phase_table.ts";
 *
 * console.log(formatPhases({ raw_results: [], configurations: [] })); // ""
 * ```
 */
export function formatPhases({ raw_results, configurations }: PhaseResults): string {
  const measured = configurations.map(({ name }) => ({
    name,
    samples: raw_results.flatMap(({ method, memory }) => method === name && memory?.phases ? [memory.phases] : []),
  })).filter(({ samples }) => samples.length > 0);
  if (measured.length === 0) return "";
  const width = Math.max(TITLE.length, ...measured.map(({ name }) => name.length)) + 2;
  const line = (name: string, phase: string, cells: readonly string[]) =>
    name.padEnd(width) + phase.padEnd(PHASE_WIDTH) + cells.map((cell) => cell.padStart(WIDTH)).join("");
  const titles = COLUMNS.map(({ title }) => title);
  // A title over two columns may be wider than one column.
  const first = line(TITLE, "", []) +
    titles.map((title, i) => titles[i - 1] === "" ? title.padStart(2 * WIDTH) : title.padStart(title ? WIDTH : 0))
      .join("");
  const second = line("", "", COLUMNS.map(({ below }) => below));
  const rows = measured.flatMap(({ name, samples }) =>
    PHASES.map((phase, i) =>
      line(
        i === 0 ? name : "",
        phase,
        COLUMNS.map(({ figure }) => inMib(average(samples.map((s) => figure(s[phase]))))),
      )
    )
  );
  return [first, second, "-".repeat(second.length), ...rows, "=".repeat(second.length)].join("\n");
}

function inMib(bytes: number | null): string {
  return bytes === null ? "-" : (bytes / MIB).toFixed(1);
}

/** Mean of all figures; null if one is missing. */
export function average(figures: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const figure of figures) {
    if (figure === null) return null;
    sum += figure;
  }
  return sum / figures.length;
}
