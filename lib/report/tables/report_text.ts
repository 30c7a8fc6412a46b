import { comparedWith } from "../results/compared_with.ts";
import { isAskedFor } from "../results/notes.ts";
import type { BenchmarkResults } from "../results/types.ts";
import { changesAgainstBaseline } from "./changes.ts";
import { formatChanges } from "./changes_table.ts";
import { formatDetails } from "./detail_table.ts";
import { intervalNotes } from "./interval_notes.ts";
import { kernelsNote } from "./kernels_note.ts";
import { formatMemory } from "./memory_table.ts";
import { precisionNotes } from "./precision_columns.ts";
import { stepWarnings } from "./step_warnings.ts";
import { formatTableWithin } from "./table.ts";
import { formatLegend, formatNotes } from "./table_notes.ts";
import { wrap } from "./wrap.ts";

/** Blanks before a continued line of the legend. */
const LEGEND_INDENT = 4;

/** What {@linkcode reportText} adds, and for what width. */
export interface ReportTextOptions {
  /** Whether to add where memory goes. */
  memory?: boolean;
  /** Width of the terminal, characters; left out if the text is not for a terminal. */
  columns?: number;
}

/**
 * Formats the report printed at the end of a run: the terms, the table, a second table with what the first does not
 * say, the changes against the baseline and their intervals, the meaning of rows, and notes.
 *
 * @param results A run's results.
 * @param options What to add, and for what width. On a terminal narrower than the table, figures stand closer together
 * and tables that are too wide are broken into blocks.
 * @returns The lines joined by "\n", without one at the end.
 *
 * @example
 * ```ts
 * import { reportText } from "./report_text.ts";
 * import type { BenchmarkResults } from "../results/types.ts";
 *
 * const print = (results: BenchmarkResults) => console.log(reportText(results, { memory: true, columns: 80 }));
 * ```
 */
export function reportText(results: BenchmarkResults, options: ReportTextOptions = {}): string {
  const { columns } = options;
  return [
    wrap(runTerms(results), columns),
    "",
    formatTableWithin(results, columns),
    ...[kernelsNote(results.configurations), precisionNotes(results)].flatMap((note) =>
      note === "" ? [] : [wrap(note, columns)]
    ),
    ...[
      formatDetails(results, columns),
      [
        formatChanges(changesAgainstBaseline(results), columns, comparedWith(results.config)),
        wrap(intervalNotes(results), columns),
      ]
        .filter((lines) => lines !== "").join("\n"),
      wrap(formatLegend(results), columns, LEGEND_INDENT),
      wrap(formatNotes(results), columns),
      options.memory ? formatMemory(results) : "",
    ].flatMap((lines) => lines === "" ? [] : ["", lines]),
  ].join("\n");
}

/**
 * Describes in one line on what and how a run was measured.
 *
 * @param results A run's results.
 * @returns The line: device, type of numbers, lengths of the passes that were made.
 *
 * @example
 * ```ts
 * import { runTerms } from "./report_text.ts";
 * import type { BenchmarkResults } from "../results/types.ts";
 *
 * const print = (results: BenchmarkResults) => console.log(runTerms(results));
 * // NVIDIA H100 80GB HBM3 (cuda), float16; quality: 2 samples of 2000 tokens; speed: 1500 tokens of prompt, 500 new
 * ```
 */
export function runTerms({ config, environment: { gpu, cpu } }: BenchmarkResults): string {
  const { device, dtype, num_samples, max_tokens, prompt_tokens, prefill_chunk, max_new_tokens, passes } = config;
  const { repetitions = 1 } = config;
  const parts = prefill_chunk ? `, ${prefill_chunk} at a time` : "";
  const rounds = repetitions > 1 ? `, ${repetitions} rounds` : "";
  return [
    `${gpu?.name ?? cpu.model} (${device}), ${dtype}`,
    ...(isAskedFor("quality", passes)
      ? [`quality: ${num_samples} sample${num_samples === 1 ? "" : "s"} of ${max_tokens} tokens`]
      : []),
    ...(isAskedFor("speed", passes)
      ? [`speed: ${prompt_tokens} tokens of prompt${parts}, ${max_new_tokens} new${rounds}`]
      : []),
  ].join("; ");
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
