import { InputError } from "../util/errors.ts";
import type { ModelFolder } from "../model/folder/model_folder.ts";
import { positionsObstacle } from "../model/positions.ts";
import { methods } from "../policies/registry.ts";
import { describeEnvironment } from "../report/results/environment.ts";
import { localTimestamp } from "../report/results/results_folder.ts";
import { sha256OfFiles } from "../util/sha256.ts";
import type { GpuInfo } from "../report/results/types.ts";
import { reasonOf, runChild } from "../run/child/child.ts";
import { chooseDtype } from "../run/plan/choose.ts";
import { kernelObstacle } from "../engine/kernel_choice.ts";
import type { Probe } from "../run/child/protocol.ts";
import { ENGINE_DEFAULTS, type RooflineSettings } from "./settings.ts";
import { modelCost } from "./floor.ts";
import { formOf, type Job, planJobs, type RooflineOptions } from "./plan.ts";
import type {
  Bandwidth,
  BandwidthRequest,
  Lengths,
  RawRow,
  RooflineEvent,
  RowsRequest,
  StartFigures,
  StartRequest,
} from "./protocol.ts";
import {
  type Control,
  deriveBreakEven,
  deriveControl,
  deriveRows,
  type NamedRow,
  type RooflineResults,
} from "./results.ts";
import { lastPosition, stepsOf } from "./row_passes.ts";

/** Input of a run. */
export interface RooflineRun {
  readonly flags: RooflineSettings;
  readonly model: ModelFolder;
  /** Name of the model in the results. */
  readonly name: string;
  /** Available runtime and device. */
  readonly found: Probe;
  /** Told of the run's progress, one line each. */
  readonly say: (line: string) => void;
  /** Ends the run early; finished rows stay. */
  readonly signal?: AbortSignal;
}

/** Steps before the clock starts. */
const WARMUP = 8;
/** Batches of queued steps on CUDA, and steps per batch. */
const QUEUED = { batches: 6, queued: 16 };

/**
 * Runs the engine benchmark: how fast memory is read, then the full cache and each method in a process of its own, then
 * the first row and memory again. Needs the permissions of its task.
 *
 * @example
 * ```ts ignore
 * import { openModelFolder } from "../model/folder/model_folder.ts";
 * import { probe } from "../run/child/child.ts";
 * import { parseEngineFlags } from "../cli/flags/engine_flags.ts";
 * import { runRoofline } from "./run_roofline.ts";
 *
 * const { rows } = await runRoofline({
 *   flags: parseEngineFlags(["--methods", "tova"]),
 *   model: openModelFolder("/data/pythia-2.8b"),
 *   name: "pythia-2.8b",
 *   found: await probe("cuda"),
 *   say: console.error,
 * });
 * console.log(rows[0]!.tpot_s.median); // 0.0033
 * ```
 *
 * @param run What to run.
 * @returns All results. Failed rows are among the failures.
 * @throws {InputError} For a mistake in the input, before anything is measured.
 */
export async function runRoofline({ flags, model, name, found, say, signal }: RooflineRun): Promise<RooflineResults> {
  const { device } = found;
  const defaults = ENGINE_DEFAULTS[device];
  const dtype = chooseDtype(flags.dtype, model, device);
  const cacheLengths = flags.lengths ?? defaults.lengths;
  const steps = flags.steps ?? defaults.steps;
  const lengths: Lengths = { warmup: WARMUP, steps, ...(device === "cuda" ? QUEUED : { batches: 0, queued: 0 }) };
  // Of the default lengths, the ones that the model and the memory allow.
  const { weightBytes, entryBytes } = modelCost(model.spec, dtype);
  const fits = (length: number) =>
    positionsObstacle(model.spec, "absolute", length + stepsOf(lengths)) === undefined &&
    weightBytes + length * model.spec.layers * entryBytes < 0.8 * (found.gpu?.memory_bytes ?? Infinity);
  const fullLengths = flags.full_lengths ?? defaults.full_lengths.filter(fits);
  const options: RooflineOptions = {
    device,
    dtype,
    methods: flags.methods,
    kernels: flags.kernels,
    cacheLengths,
    fullLengths,
    prefills: flags.prefills,
    lengths,
    isolate: flags.isolate,
  };
  const jobs = planJobs(model, options);
  checkPositions(jobs, model);
  checkKernels(jobs, model);

  say("Reading memory");
  const { bandwidth: first, gpu } = await measureBandwidth(device, flags.read_mib, signal);
  const measured: NamedRow[] = [];
  const failures: { method: string; length: number; reason: string }[] = [];
  for (const [i, { method, attention, request }] of jobs.entries()) {
    if (signal?.aborted) break;
    const asked = request.rows.map(({ length }) => length);
    say(`[${i + 1}/${jobs.length}] ${method} (${attention}): ${asked.join(", ")}`);
    const left = new Set(asked);
    const end = await child<RowsRequest>(request, (event) => {
      if (event.type === "row") measured.push({ method, attention, row: event.row });
      if (event.type === "row_failed") failures.push({ method, length: event.length, reason: event.reason });
      if (event.type === "row" || event.type === "row_failed") {
        left.delete(event.type === "row" ? event.row.length : event.length);
      }
    }, signal);
    if (signal?.aborted) break;
    const reason = end.code === 0 ? "it was not measured" : reasonOf(end);
    for (const length of left) failures.push({ method, length, reason });
  }
  const control = signal?.aborted ? null : await measureAgain(jobs[0]!, measured, say, signal);
  const start = signal?.aborted ? null : await measureStart(jobs[0]!, say, signal);
  const bandwidths = [first];
  if (!signal?.aborted) {
    say("Reading memory again");
    // Other work may have run on the machine during the first: the faster one is closer to what memory can do.
    const again = await measureBandwidth(device, flags.read_mib, signal).catch(() => undefined);
    if (again) bandwidths.push(again.bandwidth);
  }
  const bandwidth = bandwidths.reduce((a, b) => a.bytes_per_s >= b.bytes_per_s ? a : b);
  for (const { method, length, reason } of failures) say(`${method} at ${length} failed: ${reason}`);

  const own = formOf(methods.baseline(), model, options);
  const rows = deriveRows(measured, model.spec, dtype, bandwidth.bytes_per_s);
  return {
    config: {
      model: name,
      random_weights: flags.model_id === undefined,
      device,
      dtype,
      lengths: cacheLengths,
      full_lengths: rows.filter(({ method, attention }) => method === "baseline" && attention === own)
        .map(({ length }) => length),
      methods: flags.methods,
      steps,
      prefills: flags.prefills,
      isolated: flags.isolate,
      timestamp: localTimestamp(),
    },
    model: modelCost(model.spec, dtype),
    bandwidth,
    bandwidths,
    rows,
    control,
    start,
    break_even: deriveBreakEven(rows, own, control?.drift ?? 0),
    failures,
    environment: describeEnvironment({
      gpu: gpu ?? found.gpu,
      onnxruntime: found.onnxruntime,
      onnxruntime_path: found.onnxruntimePath,
      providers: [...found.providers],
      // Times do not depend on the values of the weights: the shape is enough.
      model_sha256: await sha256OfFiles(model.path, ["config.json"]),
      text_sha256: "",
    }),
  };
}

/** Measures the first row again, in a process of its own after all others. */
async function measureAgain(
  { method, attention, request }: Job,
  measured: readonly NamedRow[],
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<Control | null> {
  const row = request.rows[0]!;
  const first = measured.find((other) =>
    other.method === method && other.attention === attention && other.row.length === row.length
  );
  if (first === undefined) return null;
  say(`Again ${method} (${attention}): ${row.length}`);
  let again: RawRow | undefined;
  await child<RowsRequest>({ ...request, rows: [{ ...row, prefills: 1 }] }, (event) => {
    if (event.type === "row") again = event.row;
  }, signal);
  return again === undefined ? null : deriveControl(first.row, again);
}

/** Measures the time to the first token of the first row's prompt. By now the weight files are in the page cache. */
async function measureStart(
  { request: { model, device, dtype, attention, kernels, table, rows } }: Job,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<StartFigures | null> {
  say("From the start of a process to the first token");
  let start: StartFigures | null = null;
  await child<StartRequest>({
    ...{ type: "start", model, device, dtype, attention, kernels, table },
    promptTokens: rows[0]!.length,
    started: performance.timeOrigin + performance.now(),
  }, (event) => {
    if (event.type === "start") start = event.start;
  }, signal);
  return start;
}

/** Refuses lengths that the model has no positions for. */
function checkPositions(jobs: readonly Job[], { spec, path }: ModelFolder): void {
  for (const { method, request } of jobs) {
    for (const row of request.rows) {
      const last = Math.max(row.length, row.fill) + stepsOf(request.lengths);
      const obstacle = positionsObstacle(spec, "absolute", last);
      if (obstacle === undefined) continue;
      throw new InputError(
        `Cannot run ${method} at length ${row.length} with model ${path}: positions go to ${last}, and ${obstacle}; ` +
          "make --lengths, --full_lengths or --steps smaller",
      );
    }
  }
}

/** Refuses the project's own kernels if no row could use them. */
function checkKernels(jobs: readonly Job[], model: ModelFolder): void {
  const obstacles = jobs.map(({ request: { kernels, rows, lengths, ...use } }) => {
    const maxPositions = Math.max(...rows.map((row) => lastPosition(row, lengths)));
    return kernels === "own" ? kernelObstacle(model, { ...use, maxPositions }) : undefined;
  });
  const [first] = obstacles;
  if (first !== undefined && obstacles.every((obstacle) => obstacle !== undefined)) {
    throw new InputError(`Cannot use --kernels own: ${first}; leave it to auto`);
  }
}

async function measureBandwidth(device: "cuda" | "cpu", mib: number | undefined, signal?: AbortSignal) {
  let answer: { bandwidth: Bandwidth; gpu: GpuInfo | null } | undefined;
  const request: BandwidthRequest = { type: "bandwidth", device, bytes: mib === undefined ? undefined : mib * 2 ** 20 };
  const end = await child(request, (event) => {
    if (event.type === "bandwidth") answer = event;
  }, signal);
  signal?.throwIfAborted();
  if (answer === undefined) throw new InputError(`Cannot measure how fast memory is read: ${reasonOf(end)}`);
  return answer;
}

function child<R extends object>(request: R, onEvent: (event: RooflineEvent) => void, signal?: AbortSignal) {
  return runChild<RooflineEvent, R>(request, onEvent, signal, import.meta.resolve("./child_main.ts"));
}
