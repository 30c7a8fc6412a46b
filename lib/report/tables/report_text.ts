import type { BenchmarkResults } from "../results/types.ts";
import { changesAgainstBaseline } from "./changes.ts";
import { formatChanges } from "./changes_table.ts";
import { kernelsNote } from "./kernels_note.ts";
import { formatMemory } from "./memory_table.ts";
import { stepWarnings } from "./step_warnings.ts";
import { formatTable } from "./table.ts";
import { formatLegend, formatNotes } from "./table_notes.ts";

/** What {@linkcode reportText} adds, and for what width. */
export interface ReportTextOptions {
  /** Whether to add where memory goes. */
  memory?: boolean;
  /** Width of the terminal, characters; left out if the text is not for a terminal. */
  columns?: number;
}

/**
 * Formats the report printed at the end of a run: the terms, the table, the changes against the baseline, the meaning
 * of rows, and notes.
 *
 * @param results A run's results.
 * @param options What to add, and for what width.
 * @returns The lines joined by "\n", without one at the end.
 *
 * @example
 * ```ts
 * import { reportText } from "./report_text.ts";
 * import type { BenchmarkResults } from "../results/types.ts";
 *
 * const print = (results: BenchmarkResults) => console.log(reportText(results, { memory: true }));
 * ```
 */
export function reportText(results: BenchmarkResults, options: ReportTextOptions): string {
  const { device, dtype, num_samples, max_tokens, prompt_tokens, prefill_chunk, max_new_tokens } = results.config;
  const { gpu, cpu } = results.environment;
  const terms = [
    `${gpu?.name ?? cpu.model} (${device}), ${dtype}`,
    `quality: ${num_samples} sample${num_samples === 1 ? "" : "s"} of ${max_tokens} tokens`,
    `speed: ${prompt_tokens} tokens of prompt${
      prefill_chunk ? `, ${prefill_chunk} at a time` : ""
    }, ${max_new_tokens} new`,
  ];
  const note = kernelsNote(results.configurations);
  const changes = formatChanges(changesAgainstBaseline(results));
  return [
    terms.join("; "),
    "",
    formatTable(results),
    ...(note ? [note] : []),
    ...(changes ? ["", changes] : []),
    ...[formatLegend(results), formatNotes(results)].flatMap((lines) => lines === "" ? [] : ["", lines]),
    ...(options.memory ? ["", formatMemory(results)] : []),
  ].join("\n");
}

/**
 * Returns a line that names the configurations with unsteady step times, if any.
 *
 * @param results A run's configurations and step times.
 * @returns No line or one.
 *
 * @example
 * ```ts
 * import { timingNotes } from "./report_text.ts";
 *
 * console.log(timingNotes({ configurations: [], raw_results: [] })); // []
 * ```
 */
export function timingNotes(
  { configurations, raw_results }: Pick<BenchmarkResults, "configurations" | "raw_results">,
): string[] {
  const unsteady = configurations.map(({ name }) => name).filter((name) => {
    // The first step is left out: it includes the eviction after the prefill, so it is slow by design.
    const times = raw_results.filter(({ method }) => method === name).map((raw) => raw.step_times_s.slice(1));
    return stepWarnings(times).length > 0;
  });
  if (unsteady.length === 0) return [];
  const which = unsteady.length === configurations.length && unsteady.length > 1 ? "all" : unsteady.join(", ");
  return [
    `Unsteady step times in ${which}: other work on this machine, or too little warm-up (--num_warmup), may be the cause`,
  ];
}
