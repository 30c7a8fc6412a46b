import { picturesFor } from "../report/charts/pictures_for.ts";
import type { Trace, TraceSnapshot } from "../report/results/trace_types.ts";
import type { BenchmarkResults, Failure, RawResult } from "../report/results/types.ts";
import { checkBenchmarkOptions } from "./plan/check_options.ts";
import { type ChildEnd, reasonOf } from "./child/child.ts";
import { LauncherWatch } from "../process/launcher.ts";
import { drawPictures } from "./draw_pictures.ts";
import { hashWeights } from "./hash_weights.ts";
import { anyOf, measureConfiguration, type Measured } from "./measure_configuration.ts";
import type { BenchmarkOptions, BenchmarkRun } from "./plan/options.ts";
import { makePlan, type Plan } from "./plan/plan.ts";
import type { MeasureRequest } from "./child/protocol.ts";
import { readEarlier, setUnfinished, takeOver } from "./resume.ts";
import { RunFolder } from "./run_folder.ts";
import { summarize } from "./summarize.ts";

export type { BenchmarkOptions, BenchmarkRun } from "./plan/options.ts";

/**
 * Runs a benchmark: every configuration in a process of its own, one after another. Writes results.json anew after each
 * sample and draws the charts at the end.
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

/**
 * End of a configuration whose samples are all known: the earlier run ended between its last sample and the next one.
 */
const ALL_KNOWN: Measured = {
  end: { code: 0, signal: null, error: undefined, log: "" },
  timedOut: false,
};

/** @param launcher Aborted when the run's caller is gone. */
async function run(options: BenchmarkOptions & { signal: AbortSignal }, launcher: AbortSignal): Promise<BenchmarkRun> {
  const { signal, onNote = () => {} } = options;
  const plan = await makePlan(options);
  const { results, requests, refused } = plan;
  signal.throwIfAborted();
  using folder = await openFolder(options, results);
  const earlier = options.resume === undefined ? undefined : await readEarlier(options.resume, results, requests);
  if (earlier) takeOver(results, earlier);
  summarize(results);
  // Includes configurations that are not finished: their first sample is.
  const traces: Trace[] = [...earlier?.traces ?? []];
  const save = async () => {
    const problem = await folder?.save(results, traces);
    if (problem !== undefined) onNote(problem);
  };
  for (const [index, request] of requests.entries()) {
    if (signal.aborted) break;
    const record = results.configurations[index]!;
    if (record.status === "done") continue;
    const reason = refused.get(request.name);
    if (reason !== undefined) {
      record.status = "failed";
      results.failures.push(failureOf(request.name, reason, refusedEnd(reason), []));
      await save();
      continue;
    }
    const known = earlier?.samples.get(request.name) ?? [];
    const samples = [...known];
    const wanted = request.wanted.filter((sample) => !known.some((result) => result.sample === sample));
    const keep = async (result: RawResult, snapshots: TraceSnapshot[]) => {
      samples.push(result);
      if (request.trace && result.sample === 0) traces.push(traceOf(request, plan, snapshots));
      samples.sort((a, b) => a.sample - b.sample);
      setUnfinished(results, request.name, samples);
      await save();
    };
    const { end, timedOut } = wanted.length === 0
      ? ALL_KNOWN
      : await measureConfiguration({ ...request, wanted }, record, index, requests.length, options, keep);
    setUnfinished(results, request.name, []);
    if (end.code === 0 && samples.length === request.samples.length) {
      record.status = "done";
      results.raw_results.push(...samples);
    } else if (!signal.aborted) {
      record.status = "failed";
      const why = timedOut ? `it took over ${options.timeout} s (--timeout)` : reasonOf(end);
      results.failures.push(failureOf(request.name, why, end, samples));
    } else setUnfinished(results, request.name, samples);
    summarize(results);
    await save();
  }
  summarize(results);
  await hashWeights(plan, options);
  await save();

  if (folder && signal.aborted && !earlier && results.raw_results.length + results.failures.length === 0) {
    await folder.remove();
  }
  const isSaved = folder?.saved ?? false;
  const wishes = { plotNll: options.plot_nll === true || plan.isLong, traces: traces.length > 0 };
  const drawn = isSaved && results.raw_results.length > 0 && !launcher.aborted
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

/** Opens the run's folder: a new one, or that of the resumed run. */
async function openFolder(options: BenchmarkOptions, results: BenchmarkResults): Promise<RunFolder | undefined> {
  const { output = "results", resume } = options;
  if (resume !== undefined) return await RunFolder.open(resume);
  return output === null ? undefined : await RunFolder.create(output, results);
}

/** Makes the trace of what a configuration's cache held. */
function traceOf({ name, positions, skipLayers }: MeasureRequest, { shape }: Plan, snapshots: TraceSnapshot[]): Trace {
  return { configuration: name, positions, skip_layers: [...skipLayers], ...shape, snapshots };
}

/** End of a configuration that was never started. */
function refusedEnd(message: string): ChildEnd {
  return { code: 2, signal: null, error: { type: "error", mistake: true, message }, log: "" };
}

function failureOf(name: string, reason: string, end: ChildEnd, samples: RawResult[]): Failure {
  return { method: name, reason, log: end.log, code: end.code, ...(samples.length > 0 ? { samples } : {}) };
}
