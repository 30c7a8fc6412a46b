import { basename, join } from "@std/path";
import { LauncherGone } from "../process/launcher.ts";
import type { Outlet } from "../process/outlet.ts";
import { isFiniteSample } from "../report/results/notes.ts";
import type { BenchmarkResults } from "../report/results/types.ts";
import { formatFinished } from "../report/tables/finished_line.ts";
import { formatResults } from "../report/tables/formats/format_results.ts";
import { jsonLine } from "../report/tables/formats/jsonl.ts";
import { timingNotes } from "../report/tables/report_text.ts";
import { type BenchmarkOptions, type BenchmarkRun, runBenchmark } from "../run/benchmark.ts";
import { printableLines } from "../util/printable.ts";
import { FinishedRows } from "./finished_rows.ts";
import type { Flags } from "./flags/types.ts";
import { Interrupt } from "./interrupt.ts";
import { DownloadProgress } from "./progress/download_progress.ts";
import { createProgress } from "./progress/progress.ts";
import { terminalColumns } from "./progress/terminal_columns.ts";

/** Exit code if the run's launcher has ended. No signal came; the code is that of SIGTERM. */
const ORPHANED = 143;

/** What is told while a run is prepared, and what ends it. */
export type RunTools = Required<Pick<BenchmarkOptions, "signal" | "onNote" | "onDownload">>;

/** A run of a script: what it measures, and how it prints. */
export interface ScriptRun extends Pick<Flags, "format" | "memory"> {
  /** Makes the run's options and the lines printed before it. */
  readonly prepare: (
    tools: RunTools,
  ) => Promise<{ readonly header: string; readonly options: BenchmarkOptions }>;
  /** Standard output. */
  readonly out: Outlet;
  /** Standard error. */
  readonly err: Outlet;
}

/**
 * Runs a benchmark for a script: progress and a line for each configuration that ends on standard error, the results on
 * standard output, the paths of files on standard error.
 *
 * @example
 * ```ts
 * import { methods } from "../policies/registry.ts";
 * import { Outlet } from "../process/outlet.ts";
 * import { runAndReport } from "./run_and_report.ts";
 *
 * const options = { configurations: [{ name: "baseline", policy: methods.baseline() }] };
 * const run = () =>
 *   runAndReport({
 *     prepare: () => Promise.resolve({ header: "the full cache", options }),
 *     format: "csv",
 *     memory: false,
 *     out: new Outlet(Deno.stdout),
 *     err: new Outlet(Deno.stderr),
 *   });
 * ```
 *
 * @param run What to measure, and how to print.
 * @returns The exit code: 0, or 1 if something failed, or 128 + the signal that ended it.
 * @throws {InputError} For a mistake in the options, before anything is measured.
 */
export async function runAndReport({ prepare, format, memory, out, err }: ScriptRun): Promise<number> {
  const nothing = (code: number) => {
    err.line("Ended before anything was measured");
    return code;
  };
  // Rows printed on standard output as they end, with --format jsonl.
  const rows = new FinishedRows((results, name) => out.line(printableLines(jsonLine(results, name))));
  using interrupt = new Interrupt();
  try {
    const onRow = format === "jsonl" ? (results: BenchmarkResults, name: string) => rows.add(results, name) : undefined;
    const run = await measure(prepare, err, interrupt.signal, onRow);
    const ended = interrupt.code || (run.interrupted ? ORPHANED : 0);
    const { failures, raw_results, config: { passes } } = run.results;
    if (raw_results.length + failures.length === 0) return nothing(ended);
    for (const note of timingNotes(run.results)) err.line(note);
    if (format === "jsonl") rows.end(run.results);
    else {
      // A file or a pipe gets the tables in full width.
      const terminal = Deno.stdout.isTerminal() ? { columns: terminalColumns() } : {};
      out.line(formatResults(run.results, format ?? "table", { memory, ...terminal }));
    }
    if (run.folder !== null) err.line(`Results: ${join(run.folder, "results.json")}`);
    if (run.folder !== null && run.chart !== null) err.line(`Chart:   ${join(run.folder, basename(run.chart))}`);
    for (const picture of run.pictures) err.line(`Picture: ${join(run.folder!, basename(picture))}`);
    const incomplete = failures.length > 0 || run.folder === null ||
      !raw_results.every((raw) => isFiniteSample(raw, passes));
    return ended || (incomplete ? 1 : 0);
  } catch (error) {
    if (error instanceof LauncherGone) {
      err.line(error.message);
      return ORPHANED;
    }
    if (!interrupt.signal.aborted) throw error;
    return nothing(interrupt.code);
  }
}

/** Measures, with progress on standard error. */
async function measure(
  prepare: ScriptRun["prepare"],
  err: Outlet,
  signal: AbortSignal,
  onRow: BenchmarkOptions["onConfiguration"],
): Promise<BenchmarkRun> {
  const screen = { isTerminal: Deno.stderr.isTerminal(), write: (text: string) => err.write(text) };
  using progress = createProgress(screen);
  using download = new DownloadProgress(screen);
  const lines = new FinishedRows((results, name) => progress.log(formatFinished(results, name)));
  const tools: RunTools = {
    onDownload: (event) => download.update(event),
    onNote: (message) => {
      download.close();
      progress.log(message);
    },
    signal,
  };
  const { header, options } = await prepare(tools);
  progress.log(header);
  return await runBenchmark({
    ...options,
    ...tools,
    onProgress: (event) => progress.update(event),
    onConfiguration: (results, name) => {
      lines.add(results, name);
      onRow?.(results, name);
    },
  });
}
