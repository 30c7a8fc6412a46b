import { picturesFor } from "../report/charts/pictures_for.ts";
import type { Trace } from "../report/results/trace_types.ts";
import type { BenchmarkResults } from "../report/results/types.ts";
import { checkBenchmarkOptions } from "./plan/check_options.ts";
import { LauncherWatch } from "../process/launcher.ts";
import { drawPictures } from "./draw_pictures.ts";
import { WeightHashes } from "./hash_weights.ts";
import { Ledger } from "./ledger.ts";
import { anyOf } from "./measure_job.ts";
import { Measuring } from "./measuring.ts";
import type { BenchmarkOptions, BenchmarkRun } from "./plan/options.ts";
import { makePlan, type Plan } from "./plan/plan.ts";
import { readEarlier, takeOver } from "./resume.ts";
import { speedTurns } from "./rounds.ts";
import { RunFolder } from "./run_folder.ts";
import { summarize } from "./summarize.ts";

export type { BenchmarkOptions, BenchmarkRun } from "./plan/options.ts";

/**
 * Runs a benchmark: every pass of every configuration in a process of its own, one after another; first the rounds of
 * speed passes, then quality. Writes results.json anew after each sample and draws the charts at the end.
 *
 * Needs `--allow-read`, `--allow-run` for Deno itself, `--allow-env`, `--allow-sys`, and `--allow-write` for the
 * output; no FFI.
 *
 * @example
 * ```ts
 * import { runBenchmark } from "./benchmark.ts";
 * import { methods } from "../policies/registry.ts";
 *
 * const { results } = await runBenchmark({
 *   configurations: [
 *     { name: "baseline", policy: methods.baseline() },
 *     { name: "streaming_64", policy: methods.streaming_llm({ start_size: 4, recent_size: 60 }) },
 *   ],
 *   max_tokens: 80,
 *   prompt_tokens: 32,
 *   max_new_tokens: 8,
 *   output: null,
 * });
 * console.log(results.aggregated_stats.streaming_64?.cache_size); // 64
 * ```
 *
 * @param options What to measure.
 * @returns The results and where they are. A failed configuration is included, with its reason.
 * @throws {InputError} For a mistake in the options, before anything is measured.
 * @throws The signal's reason, if the run was ended before its first configuration.
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkRun> {
  checkBenchmarkOptions(options);
  using launcher = new LauncherWatch();
  return await run({ ...options, signal: anyOf(options.signal, launcher.signal) }, launcher.signal);
}

/** @param launcher Aborted when the run's caller is gone. */
async function run(options: BenchmarkOptions & { signal: AbortSignal }, launcher: AbortSignal): Promise<BenchmarkRun> {
  const { signal, onNote = () => {} } = options;
  const began = performance.now();
  const plan = await makePlan(options);
  const { results } = plan;
  signal.throwIfAborted();
  using folder = await openFolder(options, results);
  const earlier = options.resume === undefined ? undefined : await readEarlier(options.resume, results, plan.requests);
  const ledger = ledgerOf(plan);
  // Includes configurations that are not finished: their first sample is.
  const traces: Trace[] = [...earlier?.traces ?? []];
  if (earlier) takeOver(results, ledger, earlier, options.keep_failed);
  const before = results.environment.duration_s ?? 0;
  const save = async () => {
    results.environment.duration_s = before + (performance.now() - began) / 1000;
    summarize(results);
    const problem = await folder?.save(results, traces);
    if (problem !== undefined) onNote(problem);
  };
  for (const [name, reason] of plan.refused) ledger.fail({ method: name, reason, log: "", code: 2 });
  summarize(results);
  const hashes = new WeightHashes(plan, options);
  await new Measuring(plan, ledger, traces, options, save).all(() => hashes.start());
  await hashes.done();
  await save();

  if (folder && signal.aborted && !earlier && isEmpty(results)) await folder.remove();
  const isSaved = folder?.saved ?? false;
  const wishes = { plotNll: options.plot_nll === true || plan.isLong, traces: traces.length > 0 };
  const drawn = isSaved && options.chart !== false && results.raw_results.length > 0 && !launcher.aborted
    // One signal ends the measuring; only a later one ends the drawing.
    ? await drawPictures(folder!.path, picturesFor(results, wishes), onNote, signal.aborted ? launcher : signal)
    : { chart: null, pictures: [] };
  const done = new Set(results.raw_results.map(({ method }) => method));
  return {
    results,
    folder: isSaved ? folder!.path : null,
    ...drawn,
    traces: traces.filter(({ configuration }) => done.has(configuration)),
    interrupted: signal.aborted,
  };
}

/** Makes the empty record of a planned run. */
function ledgerOf({ results, requests }: Plan): Ledger {
  const { repetitions = 1, num_samples: samples, seed, passes = "both" } = results.config;
  const turns = passes === "quality" ? [] : speedTurns({ configurations: requests.length, repetitions, samples, seed });
  return new Ledger(results, turns, passes);
}

/** Whether nothing was measured, not even in part. */
function isEmpty({ raw_results, failures }: BenchmarkResults): boolean {
  return raw_results.length + failures.length === 0;
}

/** Opens the run's folder: a new one, or that of the resumed run. */
async function openFolder(options: BenchmarkOptions, results: BenchmarkResults): Promise<RunFolder | undefined> {
  const { output = "results", resume } = options;
  if (resume !== undefined) return await RunFolder.open(resume);
  return output === null ? undefined : await RunFolder.create(output, results);
}
