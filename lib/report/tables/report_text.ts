import { changesAgainstBaseline, formatChanges } from "./changes.ts";
import { kernelsNote } from "./kernels_note.ts";
import { formatMemory } from "./memory_table.ts";
import { formatTable } from "./table.ts";
import { formatLegend, formatNotes } from "./table_notes.ts";
import type { BenchmarkResults } from "../results/types.ts";

/** What a report has in addition. */
export interface ReportOptions {
  /** Whether it says where memory goes. */
  memory?: boolean;
}

/**
 * Returns the report of a run, as it is printed at its end: the terms, the table, the changes against the baseline, the
 * meaning of rows, and notes.
 *
 * @param results A run's results.
 * @param options See {@linkcode ReportOptions}.
 * @returns The lines joined by "\n", without one at the end.
 *
 * @example
 * ```ts
 * import { reportText } from "./report_text.ts";
 * import { readResults } from "../results/results_file.ts";
 *
 * async function print(folder: string) {
 *   console.log(reportText(await readResults(folder), { memory: true }));
 * }
 * ```
 */
export function reportText(results: BenchmarkResults, { memory = false }: ReportOptions = {}): string {
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
    ...(memory ? ["", formatMemory(results)] : []),
  ].join("\n");
}
