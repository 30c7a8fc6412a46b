import { join } from "@std/path";
import { drawInChild } from "../report/draw_child.ts";
import type { Picture } from "../report/pictures.ts";
import { writeResults } from "../report/results_file.ts";
import { createResultsFolder } from "../report/results_folder.ts";
import { aggregateAll } from "../report/stats.ts";
import { writeTrace } from "../report/trace.ts";
import type { Trace, TraceSnapshot } from "../report/trace_types.ts";
import type { BenchmarkResults, ConfigurationRecord, Failure, RawResult } from "../report/types.ts";
import { checkBenchmarkOptions } from "./check_options.ts";
import { type ChildEnd, reasonOf, runChild } from "./child.ts";
import { sha256OfFiles } from "../sha256.ts";
import { noteResults } from "./note_results.ts";
import type { BenchmarkOptions, BenchmarkRun } from "./options.ts";
import { type Plan, prepare } from "./prepare.ts";
import type { MeasureRequest } from "./protocol.ts";

export type { BenchmarkOptions, BenchmarkRun } from "./options.ts";

/**
 * Runs a benchmark: every configuration in a process of its own, one after another, results.json written anew after
 * each, and a chart at the end.
 *
 * Needs `--allow-read`, `--allow-run` for Deno itself, `--allow-env`, `--allow-sys`, and `--allow-write` for the output;
 * no FFI.
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
 * @returns The results and where they are. A configuration that failed is among them, with its reason.
 * @throws {InputError} For a mistake in what was given, before anything is measured.
 * @throws The signal's reason, if the run was ended before its first configuration.
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkRun> {
  checkBenchmarkOptions(options);
  const { signal, onNote = () => {} } = options;
  const plan = await prepare(options);
  const { results, requests, refused } = plan;
  signal?.throwIfAborted();
  const folder = await openFolder(options, results);
  let saved = folder !== null;
  const traces: Trace[] = [];
  let writtenTraces = 0;
  const save = async () => {
    try {
      if (folder !== null) await writeResults(folder, results);
      for (; folder !== null && writtenTraces < traces.length; writtenTraces++) {
        await writeTrace(folder, traces[writtenTraces]!);
      }
      saved = folder !== null;
    } catch (error) {
      // A disk that is full now may not be when the next configuration ends; what is in memory is not lost by going on.
      saved = false;
      onNote((error as Error).message);
    }
  };
  for (const [index, request] of requests.entries()) {
    if (signal?.aborted) break;
    const reason = refused.get(request.name);
    const { end, samples, snapshots } = reason === undefined
      ? await measureOne(request, results.configurations[index]!, index, requests.length, options)
      : { end: refusedEnd(reason), samples: [], snapshots: [] };
    if (end.code === 0 && samples.length === request.samples.length) {
      results.configurations[index]!.status = "done";
      results.raw_results.push(...samples);
      if (request.trace) traces.push(traceOf(request, plan, snapshots));
    } else if (!await wasInterrupted(end, signal)) {
      results.configurations[index]!.status = "failed";
      results.failures.push(failureOf(request, reasonOf(end), end, samples));
    } else if (samples.length > 0) {
      results.failures.push(failureOf(request, "interrupted", end, samples));
    }
    summarize(results);
    await save();
  }
  if (await hashWeights(plan, options)) await save();

  const interrupted = signal?.aborted ?? false;
  if (folder !== null && interrupted && results.raw_results.length + results.failures.length === 0) {
    await Deno.remove(folder, { recursive: true });
    saved = false;
  }
  let chart: string | null = null;
  const pictures: string[] = [];
  if (saved && results.raw_results.length > 0) {
    for (const picture of picturesOf(options, plan, traces)) {
      const drawn = await drawInChild(`${folder}/results.json`, picture);
      if ("warning" in drawn) onNote(drawn.warning);
      else if (picture === "comparison") chart = drawn.path;
      else pictures.push(...drawn.paths);
    }
  }
  return { results, folder: saved ? folder : null, chart, pictures, traces, interrupted };
}

/** The pictures that a run is worth. */
function picturesOf({ plot_nll }: BenchmarkOptions, { isLong }: Plan, traces: readonly Trace[]): Picture[] {
  return [
    "comparison",
    ...(plot_nll || isLong ? ["nll" as const] : []),
    ...(traces.length > 0 ? ["traces" as const] : []),
  ];
}

/** The run's folder, with a results.json that says what is to come. */
async function openFolder({ output = "results" }: BenchmarkOptions, results: BenchmarkResults): Promise<string | null> {
  if (output === null) return null;
  const { method, model_id: modelId, timestamp } = results.config;
  const folder = await createResultsFolder({ output, method, modelId, timestamp });
  try {
    await writeResults(folder, results);
    return folder;
  } catch (error) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    throw error;
  }
}

/** What a configuration's cache held. */
function traceOf({ name, positions, skipLayers }: MeasureRequest, { shape }: Plan, snapshots: TraceSnapshot[]): Trace {
  return { configuration: name, positions, skip_layers: [...skipLayers], ...shape, snapshots };
}

/**
 * Measures one configuration in a child process; gives the samples it finished, however it ended, and its traces. Notes
 * in the record whose kernels it ran.
 */
async function measureOne(
  request: MeasureRequest,
  record: ConfigurationRecord,
  index: number,
  count: number,
  options: BenchmarkOptions,
) {
  const { signal, onNote, onProgress } = options;
  const samples: RawResult[] = [];
  const snapshots: TraceSnapshot[] = [];
  const end = await runChild(request, (event) => {
    if (event.type === "sample") samples.push(event.result);
    if (event.type === "trace") snapshots.push(event.snapshot);
    if (event.type === "kernels") {
      record.kernels = event.kernels;
      if (event.kernels_reason !== undefined) record.kernels_reason = event.kernels_reason;
    }
    if (event.type === "note") onNote?.(`${request.name}: ${event.message}`);
    if (event.type === "progress") {
      onProgress?.({
        ...event,
        configuration: request.name,
        index,
        count,
        samples: request.samples.length,
      });
    }
  }, signal);
  return { end, samples, snapshots };
}

/**
 * Whether a child ended because the run is being ended. Ctrl-C reaches it as well as us, and its end may be seen before
 * our own signal is.
 */
async function wasInterrupted({ signal: by }: ChildEnd, signal?: AbortSignal): Promise<boolean> {
  if (signal === undefined) return false;
  if (by === "SIGINT" || by === "SIGTERM") await new Promise((resolve) => setTimeout(resolve, 100));
  return signal.aborted;
}

/**
 * Adds the hashes of the weights to the results, after the last measurement: a checkpoint takes a second per GB, for which
 * nobody should wait before the first. Gives whether it did; a run that is ended goes without.
 */
async function hashWeights({ results, weights: { folder, files } }: Plan, { signal, onNote }: BenchmarkOptions) {
  const { environment } = results;
  try {
    signal?.throwIfAborted();
    const sizes = await Promise.all(files.map(async (name) => (await Deno.stat(join(folder, name))).size));
    const bytes = sizes.reduce((a, b) => a + b, 0);
    if (bytes > 2e9) onNote?.(`All is measured and saved; hashing ${(bytes / 1e9).toFixed(1)} GB of weights`);
    Object.assign(environment.model_sha256, await sha256OfFiles(folder, files, signal));
    return true;
  } catch (error) {
    if (!signal?.aborted) onNote?.(`Cannot hash the weights: ${(error as Error).message}`);
    return false;
  }
}

/** How a configuration ends that was never started. */
function refusedEnd(message: string): ChildEnd {
  return { code: 2, signal: null, error: { type: "error", mistake: true, message }, log: "" };
}

function failureOf({ name }: MeasureRequest, reason: string, end: ChildEnd, samples: RawResult[]): Failure {
  return { method: name, reason, log: end.log, code: end.code, ...(samples.length > 0 ? { samples } : {}) };
}

/** Brings the averages and the notes up to what was measured. */
function summarize(results: BenchmarkResults): void {
  results.aggregated_stats = aggregateAll(results.raw_results);
  noteResults(results);
  const { baseline } = results.aggregated_stats;
  if (baseline === undefined) return;
  const { perplexity, accuracy, throughput, tpot } = baseline;
  results.baseline_stats = { perplexity, accuracy, throughput, tpot };
}
