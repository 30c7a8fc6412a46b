/**
 * `deno task bench`: measures what KV-cache compression costs and gains, and prints a table, results.json and a chart.
 *
 * Exit codes: 0 all configurations were measured; 1 one or more failed or has a figure that is not finite, or the
 * results could not be written; 2 wrong input, before anything was measured; 130 Ctrl-C, 143 SIGTERM and 129 SIGHUP,
 * where finished configurations are kept.
 *
 * @module
 */
import { basename, join } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { InputError } from "../lib/util/errors.ts";
import { printableJson, printableLines } from "../lib/util/printable.ts";
import { DownloadProgress } from "../lib/cli/progress/download_progress.ts";
import { createProgress } from "../lib/cli/progress/progress.ts";
import { reportText } from "../lib/report/tables/report_text.ts";
import { stepWarnings } from "../lib/report/tables/step_warnings.ts";
import { isFiniteSample } from "../lib/report/results/notes.ts";
import type { BenchmarkResults } from "../lib/report/results/types.ts";
import { type BenchmarkRun, runBenchmark } from "../lib/run/benchmark.ts";
import { optionsOf } from "../lib/cli/flags/options_of.ts";
import { expand } from "../lib/cli/expand.ts";
import { groupOf } from "../lib/cli/flags/effects.ts";
import { type Flags, helpText } from "../lib/cli/flags/parse.ts";
import { Interrupt } from "../lib/cli/interrupt.ts";
import { readCommand } from "../lib/cli/read_command.ts";
import { LauncherGone } from "../lib/process/launcher.ts";
import { Outlet } from "../lib/process/outlet.ts";

/** Exit code if the run's launcher has ended. No signal came; the code is that of SIGTERM. */
const ORPHANED = 143;
/** Longest wait for the last notes to be written, ms. */
const PATIENCE_MS = 2000;

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Runs the benchmark that `argv` describes, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const { flags, command } = await readCommand(argv);
  if (flags.help || flags.version) {
    out.line(flags.help ? helpText(config.version) : `kvcompress ${config.version}`);
    return 0;
  }
  using interrupt = new Interrupt();
  try {
    const run = await measure(flags, command, interrupt.signal);
    const ended = interrupt.code || (run.interrupted ? ORPHANED : 0);
    const { failures, raw_results } = run.results;
    if (raw_results.length + failures.length === 0) return nothing(ended);
    for (const note of timingNotes(run.results)) err.line(note);
    out.line(
      flags.json ? printableJson(run.results) : printableLines(reportText(run.results, { memory: flags.memory })),
    );
    if (run.folder !== null) err.line(`Results: ${join(run.folder, "results.json")}`);
    if (run.folder !== null && run.chart !== null) err.line(`Chart:   ${join(run.folder, basename(run.chart))}`);
    for (const picture of run.pictures) err.line(`Picture: ${join(run.folder!, basename(picture))}`);
    const incomplete = failures.length > 0 || run.folder === null || !raw_results.every(isFiniteSample);
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
async function measure(flags: Flags, command: string[], signal: AbortSignal): Promise<BenchmarkRun> {
  const screen = { isTerminal: Deno.stderr.isTerminal(), write: (text: string) => err.write(text) };
  using progress = createProgress(screen);
  using download = new DownloadProgress(screen);
  const configurations = expand(flags);
  for (const warning of flags.warnings) progress.log(warning);
  progress.log(header(flags, configurations.map(({ name }) => name)));
  return await runBenchmark({
    ...optionsOf(flags),
    method: groupOf(flags) ?? flags.method,
    configurations,
    command,
    onProgress: (event) => progress.update(event),
    onDownload: (event) => download.update(event),
    onNote: (message) => {
      download.close();
      progress.log(message);
    },
    signal,
  });
}

/** Describes what is about to run. */
function header({ model_id, revision, dataset, ...flags }: Flags, names: readonly string[]): string {
  const { skip_layers, positions, seed } = flags;
  const terms = [
    revision === undefined ? model_id : `${model_id} at ${revision}`,
    dataset,
    `skip_layers ${skip_layers.join(",") || "none"}`,
    `positions ${positions}`,
    `seed ${seed}`,
  ];
  const count = names.length === 1 ? "1 configuration" : `${names.length} configurations`;
  return `kvcompress ${config.version}: ${terms.join(", ")}\n${count}: ${names.join(", ")}`;
}

/** Returns a line that names the configurations with unsteady step times, if any. */
function timingNotes({ configurations, raw_results }: BenchmarkResults): string[] {
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

function nothing(code: number): number {
  err.line("Ended before anything was measured");
  return code;
}

/** Waits until all output is written, as long as its reader takes it. */
async function finish(code: number): Promise<number> {
  const problem = await out.flushed();
  if (problem) err.line(`Cannot write to standard output: ${problem.message}`);
  await err.flushed(PATIENCE_MS);
  return code || (problem ? 1 : 0);
}

if (import.meta.main) {
  let code = 2;
  try {
    code = await main(Deno.args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    err.line(printableLines(error.message));
  }
  // A write that waits for a reader would keep the process alive.
  Deno.exit(await finish(code));
}
