import { createHash } from "node:crypto";
import { join, relative } from "@std/path";
import { tabulate } from "../../cache/schedule.ts";
import { PTX_FOLDER } from "../../kernels/ptx_files.ts";
import { type ModelFolder, openModelFolder } from "../../model/folder/model_folder.ts";
import { shortestWindow } from "../../model/spec.ts";
import { checkPolicy } from "../../policies/check_policy.ts";
import { bringAssets } from "../../process/assets.ts";
import { describeEnvironment } from "../../report/results/environment.ts";
import { localTimestamp } from "../../report/results/results_folder.ts";
import { sha256OfFiles, sha256OfTokens } from "../../util/sha256.ts";
import type { BenchmarkResults, Environment } from "../../report/results/types.ts";
import { openDataset } from "../../text/dataset.ts";
import { sampleTokens } from "../../text/samples.ts";
import { TokenizerProcess } from "../../text/tokenizer_process.ts";
import { codeDigest } from "../../util/code_digest.ts";
import { fingerprintOfFile } from "../../util/fingerprint.ts";
import { checkLengths, checkNames, checkPositions, checkReach, checkSkipLayers, checkTokens } from "./check_input.ts";
import { probe } from "../child/child.ts";
import { chooseAttention, chooseDtype } from "./choose.ts";
import { acrossPositions } from "./configuration.ts";
import { resolveDefaults } from "./device_defaults.ts";
import { droppedEntries } from "./dropped.ts";
import { findModel, type FoundModel } from "./find_model.ts";
import { checkExportOptions, exportNote, refusals } from "./export_limits.ts";
import { EMBEDDED_MODEL_ID } from "./find_model.ts";
import { kernelRefusals } from "./kernel_refusals.ts";
import type { BenchmarkOptions } from "./options.ts";
import type { MeasureRequest, Probe } from "../child/protocol.ts";
import { qualityCourse } from "../measure/quality.ts";
import { positionsNote, reach, windowNote } from "./reach.ts";
import { isControl, runTitle } from "./run_title.ts";
import { speedCourse } from "../measure/speed_course.ts";

/** A run before its first configuration. */
export interface Plan {
  /** What results.json is, as yet without figures. */
  readonly results: BenchmarkResults;
  /** One for each configuration, in order. */
  readonly requests: readonly MeasureRequest[];
  /** Configurations that the model's ONNX export has no way to run, by name, and why. */
  readonly refused: ReadonlyMap<string, string>;
  /** The model's folder, and the files of its weights in it: their hashes are not in the results yet. */
  readonly weights: { readonly folder: string; readonly files: readonly string[] };
  /** The model's shape, as traces have it. */
  readonly shape: { readonly layers: number; readonly kv_heads: number };
  /** Whether the quality pass reads more than the model was trained for: then how quality goes along the text matters. */
  readonly isLong: boolean;
}

/**
 * Makes a plan of what was asked for. Everything that can be wrong with it is found here, before a folder is made or
 * anything is measured.
 *
 * @param options What was asked for.
 * @returns The plan.
 * @throws {InputError} Saying what is wrong and what would do.
 */
export async function prepare(options: BenchmarkOptions): Promise<Plan> {
  const { model_id = EMBEDDED_MODEL_ID, dataset = "moby_dick", kernels = "auto", seed = 0, onNote = () => {} } =
    options;
  const configurations = acrossPositions(options.configurations, checkPositions(options.positions));
  checkNames(configurations);
  const { folder, hub } = await findModel(options);
  const model = openModelFolder(folder, options.dtype);
  const skipLayers = checkSkipLayers(options.skip_layers ?? [0, 1], model);
  using tokenizer = new TokenizerProcess(model.path, options.signal);
  const text = await openDataset({
    dataset,
    split: options.split,
    textColumn: options.text_column,
    minChars: options.min_chars,
    hub: { onNote, onDownload: options.onDownload, offline: options.offline, signal: options.signal },
    signal: options.signal,
    onNote,
  });

  const found = await probe(options.device ?? "auto", options.signal);
  const { device } = found;
  if (device === "cuda") await bringAssets(PTX_FOLDER, { onNote, signal: options.signal });
  if (found.note) onNote(found.note);
  const lengths = resolveDefaults({
    num_samples: options.num_samples,
    max_tokens: options.max_tokens,
    max_new_tokens: options.max_new_tokens,
    prompt_tokens: options.prompt_tokens,
    num_warmup: options.num_warmup,
  }, device);
  checkLengths(lengths, options);
  checkExportOptions(model, options, lengths.prompt_tokens);
  const { num_samples, max_tokens, max_new_tokens, prompt_tokens, num_warmup } = lengths;
  const dtype = chooseDtype(options.dtype ?? "auto", model, device);

  const samples = await sampleTokens({
    texts: text.texts,
    about: text.passedOver,
    tokenizer: await tokenizer.loaded,
    samples: num_samples,
    tokensPerSample: Math.max(max_tokens + 1, prompt_tokens),
  });
  checkTokens(samples, model);
  const reached = Math.max(max_tokens, prompt_tokens + max_new_tokens);
  const lengthsOfSpeed = { promptTokens: prompt_tokens, newTokens: max_new_tokens, chunk: options.prefill_chunk };
  const passes = { quality: qualityCourse(max_tokens), speed: speedCourse(lengthsOfSpeed) };
  const courses = [passes.quality, passes.speed];
  const requests = configurations.map((configuration): MeasureRequest => {
    const { name, policy, positions } = configuration;
    checkPolicy(policy, { layers: model.spec.layers, maxEntries: reached });
    return {
      type: "measure",
      name,
      model: model.export?.step.path ?? model.path,
      device,
      dtype,
      attention: chooseAttention(options.attention ?? "auto", dtype, model, device, configuration, reached),
      positions,
      kernels,
      table: tabulate(policy, model.spec, skipLayers, courses),
      ...(policy.score ? { score: policy.score } : {}),
      ...(policy.attention ? { attentionUse: policy.attention } : {}),
      skipLayers,
      samples,
      wanted: samples.map((_, sample) => sample),
      maxTokens: max_tokens,
      promptTokens: prompt_tokens,
      prefillChunk: options.prefill_chunk,
      maxNewTokens: max_new_tokens,
      warmup: num_warmup,
      seed,
      ...(options.trace || options.trace_every ? { trace: { every: options.trace_every ?? null } } : {}),
    };
  });
  const reaches = requests.map(({ name, positions, table }) => ({
    name,
    positions,
    last: reach(positions, table, courses),
  }));
  for (const { name, positions, last } of reaches) checkReach(name, positions, last, model);
  const controls = configurations.map(({ policy }) => isControl(policy.method));
  const refused = new Map([
    ...refusals(model, requests, courses, controls),
    ...kernelRefusals(model, requests, reached, controls),
  ]);
  if (model.export) onNote(exportNote(model, weightsOf(model), device));
  const notes = [
    positionsNote(reaches, model.spec.maxPositions),
    // An export masks in its own way.
    model.export ? undefined : windowNote(shortestWindow(model.spec), reached),
  ];
  for (const note of notes) if (note !== undefined) onNote(note);
  const config: BenchmarkResults["config"] = {
    model_id,
    ...(hub ? { revision: hub.revision } : {}),
    weights: weightsOf(model),
    method: options.method ?? runTitle(options.configurations),
    num_samples,
    max_tokens,
    max_new_tokens,
    skip_layers: skipLayers,
    timestamp: localTimestamp(),
    prompt_tokens,
    prefill_chunk: options.prefill_chunk ?? null,
    dataset,
    ...text.terms,
    device,
    dtype,
    positions: [...new Set(requests.map(({ positions }) => positions))].join(),
    num_warmup,
    seed,
    kernels,
    ...(options.command === undefined ? {} : { command: [...options.command] }),
  };
  const results: BenchmarkResults = {
    config,
    raw_results: [],
    aggregated_stats: {},
    baseline_stats: null,
    configurations: requests.map(({ name, positions, attention, table }, i) => ({
      name,
      method: configurations[i]!.policy.method,
      params: { ...configurations[i]!.policy.params },
      positions,
      attention,
      dropped: droppedEntries(table, passes),
      policy_sha256: policyDigest(requests[i]!),
      status: "not run",
    })),
    failures: [],
    environment: await environmentOf(found, model, hub, {
      ...(text.commit === undefined ? {} : { text_commit: text.commit }),
      text_sha256: await text.sha256(),
      samples_sha256: samples.map(sha256OfTokens),
    }),
  };
  const shape = { layers: model.spec.layers, kv_heads: model.spec.kvHeads };
  const weights = { folder: model.path, files: weightFiles(model) };
  return { results, requests, refused, weights, shape, isLong: max_tokens > model.spec.maxPositions };
}

/** Tells methods apart that have one name and the same parameters: a script's own, once it has been changed. */
function policyDigest({ table, score, attentionUse }: MeasureRequest): string {
  return createHash("sha256").update(JSON.stringify([table, score, attentionUse])).digest("hex");
}

/** What is run: "safetensors", or the path of an ONNX export in the model's folder. */
function weightsOf({ path, export: exported }: ModelFolder): string {
  return exported ? relative(path, exported.step.path) : "safetensors";
}

/** The files that have weights, or an export's graph, by their paths in the model's folder. */
function weightFiles({ path, tensors, export: exported }: ModelFolder): string[] {
  const files = exported?.files ?? new Set([...tensors.values()].map(({ file }) => file));
  return [...files].map((file) => relative(path, file));
}

async function environmentOf(
  found: Probe,
  model: ModelFolder,
  hub: FoundModel["hub"],
  text: Pick<Environment, "text_commit" | "text_sha256" | "samples_sha256">,
) {
  const { path } = model;
  const weights = weightFiles(model);
  return describeEnvironment({
    gpu: found.gpu,
    onnxruntime: found.onnxruntime,
    onnxruntime_path: found.onnxruntimePath,
    providers: [...found.providers],
    ...(hub ? { model_commit: hub.commit } : {}),
    model_sha256: await sha256OfFiles(path, ["config.json", "tokenizer.json"]),
    weights_fingerprint: await fingerprints(path, weights),
    code_sha256: await codeDigest(),
    ...text,
  });
}

async function fingerprints(folder: string, files: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const file of files) found[file] = await fingerprintOfFile(join(folder, file));
  return found;
}
