import { basename, fromFileUrl } from "@std/path";
import { type KeepTable, tabulate } from "../cache/schedule.ts";
import type { FloatType } from "../dtype.ts";
import { InputError } from "../errors.ts";
import type { AttentionForm } from "../model/attention.ts";
import { type ModelFolder, openModelFolder } from "../model/model_folder.ts";
import { checkPolicy } from "../policies/check_policy.ts";
import { drawInChild } from "../report/draw_child.ts";
import { describeEnvironment } from "../report/environment.ts";
import { sha256OfFiles } from "../report/sha256.ts";
import type { ProgressEvent } from "../report/progress_event.ts";
import { createResultsFolder, localTimestamp } from "../report/results_folder.ts";
import { writeResults } from "../report/results_file.ts";
import { aggregateAll } from "../report/stats.ts";
import type { BenchmarkResults, ConfigurationRecord } from "../report/types.ts";
import { loadText } from "../text/datasets.ts";
import { sampleTokens } from "../text/samples.ts";
import { loadTokenizer } from "../text/tokenizer.ts";
import { probe, reasonOf, runChild } from "./child.ts";
import type { Configuration } from "./configurations.ts";
import type { Undecided } from "./device_defaults.ts";
import { EMBEDDED_MODEL_ID, resolveDefaults } from "./flags.ts";
import type { MeasureRequest, Probe } from "./protocol.ts";
import { qualityCourse } from "./quality.ts";
import { speedCourse } from "./speed.ts";

/** What to measure. All but the configurations has a default. */
export interface BenchmarkOptions extends Partial<Undecided> {
  /** What to compare, in the order of the table. A configuration named "baseline" is what changes are against. */
  readonly configurations: readonly Configuration[];
  /** A Hugging Face model folder; the embedded model if left out. */
  readonly model_id?: string;
  /** `moby_dick`, or the path of a text file. */
  readonly dataset?: string;
  /** What results.json calls the run; the first method that is no control group if left out. */
  readonly method?: string;
  /** Layers never compressed; 0 and 1 if left out. */
  readonly skip_layers?: readonly number[];
  readonly device?: "auto" | "cuda" | "cpu";
  readonly dtype?: "auto" | FloatType;
  readonly attention?: "auto" | AttentionForm;
  /** What random choices are drawn from. */
  readonly seed?: number;
  /** The folder that the run's own folder is made in; null writes nothing. */
  readonly output?: string | null;
  /** Told how far the run is. */
  readonly onProgress?: (event: ProgressEvent) => void;
  /** Told what a person should know: a fallback to the CPU, a chart that could not be drawn. */
  readonly onNote?: (message: string) => void;
  /** Ends the run early: what is finished stays. */
  readonly signal?: AbortSignal;
}

/** What a run gives. */
export interface BenchmarkRun {
  readonly results: BenchmarkResults;
  /** The run's folder, if it wrote one. */
  readonly folder: string | null;
  /** The chart, if it was drawn. */
  readonly chart: string | null;
  /** Whether it was ended early. */
  readonly interrupted: boolean;
}

/** The embedded model's folder. */
const EMBEDDED_MODEL = new URL(`../assets/${EMBEDDED_MODEL_ID}`, import.meta.url);

/**
 * Runs a benchmark: every configuration in a process of its own, one after another, results.json written anew after
 * each, and a chart at the end.
 *
 * Needs `--allow-read`, `--allow-run`, `--allow-env`, `--allow-sys`, and `--allow-write` for the output; no FFI.
 *
 * @throws {InputError} For a mistake in what was given, before anything is measured.
 *
 * @example
 * ```ts ignore
 * import { runBenchmark } from "./benchmark.ts";
 * import { methods } from "../policies/registry.ts";
 *
 * const { results } = await runBenchmark({
 *   configurations: [
 *     { name: "baseline", policy: methods.baseline() },
 *     { name: "streaming_64", policy: methods.streaming_llm({ start_size: 4, recent_size: 60 }) },
 *   ],
 *   max_tokens: 200,
 *   output: null,
 * });
 * console.log(results.aggregated_stats.streaming_64?.perplexity);
 * ```
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkRun> {
  const { configurations, signal, onNote = () => {} } = options;
  const plan = await prepare(options, onNote);
  const { results, requests } = plan;
  const output = options.output === undefined ? "results" : options.output;
  const folder = output === null ? null : await createResultsFolder({
    output,
    method: results.config.method,
    modelId: results.config.model_id,
    timestamp: results.config.timestamp,
  });
  const save = async () => {
    results.aggregated_stats = aggregateAll(results.raw_results);
    results.baseline_stats = baselineStats(results);
    if (folder !== null) await writeResults(folder, results);
  };
  await save();

  for (const [index, request] of requests.entries()) {
    if (signal?.aborted) break;
    const record = results.configurations[index]!;
    const finished: BenchmarkResults["raw_results"] = [];
    const end = await runChild(request, (event) => {
      if (event.type === "sample") finished.push(event.result);
      if (event.type === "note") onNote(`${record.name}: ${event.message}`);
      if (event.type === "progress") {
        options.onProgress?.({
          ...event,
          configuration: record.name,
          index,
          count: configurations.length,
          samples: request.samples.length,
        });
      }
    }, signal);
    if (signal?.aborted) break;
    if (end.code === 0 && finished.length === request.samples.length) {
      record.status = "done";
      results.raw_results.push(...finished);
    } else {
      // Samples measured before the failure would stand in the table as if they were the whole.
      record.status = "failed";
      results.failures.push({ method: record.name, reason: reasonOf(end), log: end.log, code: end.code });
    }
    await save();
  }

  await save();
  let chart: string | null = null;
  if (folder !== null && results.raw_results.length > 0) {
    const drawn = await drawInChild(`${folder}/results.json`);
    if ("path" in drawn) chart = drawn.path;
    else onNote(drawn.warning);
  }
  return { results, folder, chart, interrupted: signal?.aborted ?? false };
}

/** Everything that can go wrong before measuring goes wrong here. */
async function prepare(
  options: BenchmarkOptions,
  onNote: (message: string) => void,
): Promise<{ results: BenchmarkResults; requests: MeasureRequest[] }> {
  const { configurations, model_id = EMBEDDED_MODEL_ID, dataset = "moby_dick", seed = 0 } = options;
  checkNames(configurations);
  const model = openModelFolder(model_id === EMBEDDED_MODEL_ID ? fromFileUrl(EMBEDDED_MODEL) : model_id);
  const skipLayers = checkSkipLayers(options.skip_layers ?? [0, 1], model);
  const found = await probe(options.device ?? "auto", options.signal);
  if (found.note) onNote(found.device === "cpu" ? `Running on the CPU: ${found.note}` : found.note);
  const lengths = resolveDefaults({
    num_samples: options.num_samples,
    max_tokens: options.max_tokens,
    max_new_tokens: options.max_new_tokens,
    prompt_tokens: options.prompt_tokens,
    num_warmup: options.num_warmup,
  }, found.device);
  const { num_samples, max_tokens, max_new_tokens, prompt_tokens, num_warmup } = lengths;
  const dtype = chooseDtype(options.dtype ?? "auto", model, found);
  const attention = chooseAttention(options.attention ?? "auto", dtype, model, found);

  const tokenizer = await loadTokenizer(model.path);
  const text = await loadText(dataset);
  const samples = sampleTokens({
    texts: text.texts,
    tokenizer,
    samples: num_samples,
    tokensPerSample: Math.max(max_tokens + 1, prompt_tokens),
  });
  checkTokens(samples, model);
  const reached = Math.max(max_tokens, prompt_tokens + max_new_tokens);
  if (reached > model.spec.maxPositions) {
    onNote(
      `Positions go to ${reached}, the model was trained for ${model.spec.maxPositions}: with absolute positions quality falls off there`,
    );
  }

  const courses = [qualityCourse(max_tokens), speedCourse({ promptTokens: prompt_tokens, newTokens: max_new_tokens })];
  const tables: KeepTable[] = configurations.map(({ policy }) => {
    checkPolicy(policy, { layers: model.spec.layers, maxEntries: reached });
    return tabulate(policy, model.spec, skipLayers, courses);
  });
  const records: ConfigurationRecord[] = configurations.map(({ name, policy }) => ({
    name,
    method: policy.method,
    params: { ...policy.params },
    positions: "absolute",
    attention,
    status: "not run",
  }));
  const requests = configurations.map(({ name, policy }, i): MeasureRequest => ({
    type: "measure",
    name,
    model: model.path,
    device: found.device,
    dtype,
    attention,
    table: tables[i]!,
    ...(policy.score ? { score: policy.score } : {}),
    ...(policy.attention ? { attentionUse: policy.attention } : {}),
    skipLayers,
    samples,
    maxTokens: max_tokens,
    promptTokens: prompt_tokens,
    maxNewTokens: max_new_tokens,
    warmup: num_warmup,
    seed,
  }));
  const main = configurations.find(({ policy }) => !["baseline", "recent_only"].includes(policy.method));
  const results: BenchmarkResults = {
    config: {
      model_id,
      method: options.method ?? main?.policy.method ?? configurations[0]!.policy.method,
      num_samples,
      max_tokens,
      max_new_tokens,
      skip_layers: skipLayers,
      timestamp: localTimestamp(),
      prompt_tokens,
      dataset,
      device: found.device,
      dtype,
      positions: "absolute",
      num_warmup,
      seed,
    },
    raw_results: [],
    aggregated_stats: {},
    baseline_stats: null,
    configurations: records,
    failures: [],
    environment: describeEnvironment({
      gpu: found.gpu,
      onnxruntime: found.onnxruntime,
      onnxruntime_path: found.onnxruntimePath,
      providers: [...found.providers],
      model_sha256: await sha256OfFiles(model.path, modelFiles(model)),
      text_sha256: text.sha256,
    }),
  };
  return { results, requests };
}

function checkNames(configurations: readonly Configuration[]): void {
  if (configurations.length === 0) throw new InputError("Cannot run a benchmark: there is no configuration to measure");
  const names = configurations.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`Cannot run a benchmark: two configurations are named "${twice}"`);
}

function checkSkipLayers(layers: readonly number[], { spec }: ModelFolder): number[] {
  const beyond = layers.find((layer) => layer >= spec.layers);
  if (beyond !== undefined) {
    throw new InputError(
      `Cannot skip layer ${beyond}: --skip_layers names it, the model has layers 0 to ${spec.layers - 1}`,
    );
  }
  return [...new Set(layers)].sort((a, b) => a - b);
}

function chooseDtype(wanted: "auto" | FloatType, model: ModelFolder, { device }: Probe): FloatType {
  if (device === "cpu") {
    if (wanted === "auto" || wanted === "float32") return "float32";
    throw new InputError(`Cannot use --dtype ${wanted} on the CPU: float32 is what it computes in, whatever is stored`);
  }
  if (wanted !== "auto") return wanted;
  const stored = model.tensors.get(model.spec.embedding)?.dtype;
  return stored === "float32" || stored === "bfloat16" ? stored : "float16";
}

function chooseAttention(
  wanted: "auto" | AttentionForm,
  dtype: FloatType,
  { spec }: ModelFolder,
  { device }: Probe,
): AttentionForm {
  const obstacle = spec.headDim % 8 !== 0
    ? `the fused kernel takes head sizes that are a multiple of 8, the model's is ${spec.headDim}`
    : device === "cuda" && dtype === "float32"
    ? "the fused kernel on CUDA takes float16 and bfloat16, not float32"
    : undefined;
  if (wanted === "fused" && obstacle) throw new InputError(`Cannot use --attention fused: ${obstacle}`);
  return wanted === "auto" ? (obstacle ? "explicit" : "fused") : wanted;
}

function checkTokens(samples: readonly (readonly number[])[], { spec, path }: ModelFolder): void {
  const beyond = samples.flat().find((id) => id >= spec.vocab);
  if (beyond !== undefined) {
    throw new InputError(
      `Cannot use the tokenizer of ${path}: it gives token ${beyond}, config.json's vocab_size is ${spec.vocab}; tokenizer.json belongs to another model`,
    );
  }
}

function modelFiles({ tensors }: ModelFolder): string[] {
  return ["config.json", "tokenizer.json", ...new Set([...tensors.values()].map(({ file }) => basename(file)))];
}

function baselineStats({ aggregated_stats }: BenchmarkResults): BenchmarkResults["baseline_stats"] {
  const baseline = aggregated_stats.baseline;
  if (!baseline) return null;
  const { perplexity, accuracy, throughput, tpot } = baseline;
  return { perplexity, accuracy, throughput, tpot };
}
