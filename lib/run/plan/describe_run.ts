import { createHash } from "node:crypto";
import { join } from "@std/path";
import { describeEnvironment } from "../../report/results/environment.ts";
import { localTimestamp } from "../../report/results/results_folder.ts";
import type { BenchmarkResults, ConfigurationRecord, Environment, RunConfig } from "../../report/results/types.ts";
import { weightBytes } from "../../model/graph/weight_bytes.ts";
import { readEnv } from "../../process/child_env.ts";
import { codeDigest } from "../../util/code_digest.ts";
import { DTYPES } from "../../util/dtype.ts";
import { fingerprintOfFile } from "../../util/fingerprint.ts";
import { sha256OfFiles, sha256OfTokens } from "../../util/sha256.ts";
import type { MeasureRequest } from "../child/protocol.ts";
import { droppedEntries, meanHeld } from "./dropped.ts";
import { evictedFrom } from "./evicted_from.ts";
import { EMBEDDED_MODEL_ID } from "./find_model.ts";
import { heldInPasses } from "./held.ts";
import type { RunInput } from "./input.ts";
import type { BenchmarkOptions } from "./options.ts";
import type { Passes } from "./requests.ts";
import type { ResolvedConfiguration } from "./resolve_budget.ts";
import { runTitle } from "./run_title.ts";
import { weightFiles, weightsOf } from "./weight_files.ts";

/**
 * Makes the results.json of a run before its first configuration: all of its terms, and no figures.
 *
 * @param requests The configurations, in order.
 * @param configurations The same with their policies, in the same order.
 * @param passes The passes of each configuration.
 * @param input What they share.
 * @param options The options given.
 */
export async function describeRun(
  requests: readonly MeasureRequest[],
  configurations: readonly ResolvedConfiguration[],
  passes: Passes,
  input: RunInput,
  options: BenchmarkOptions,
): Promise<BenchmarkResults> {
  return {
    config: configOf(requests, configurations, input, options),
    raw_results: [],
    aggregated_stats: {},
    baseline_stats: null,
    configurations: requests.map((request, i): ConfigurationRecord => ({
      name: request.name,
      method: configurations[i]!.policy.method,
      params: { ...configurations[i]!.policy.params },
      positions: request.positions,
      attention: request.attention,
      ...(configurations[i]!.dtype === undefined ? {} : typeOf(request, input)),
      dropped: droppedEntries(request.table, passes),
      held: heldInPasses(request.table, passes, input.model.spec, DTYPES[request.dtype].bytes),
      ...budgetOf(request, configurations[i]!, passes),
      policy_sha256: policyDigest(request),
      status: "not run",
    })),
    failures: [],
    environment: await environmentOf(input),
    schema: 2,
    speed_runs: [],
    evicted_from: evictedFrom(requests.map(({ table }) => table), input.lengths.max_tokens),
  };
}

/** The type of a configuration that has its own, and the size of the weights in it. */
function typeOf({ dtype }: MeasureRequest, { model }: RunInput): Pick<ConfigurationRecord, "dtype" | "weight_bytes"> {
  return { dtype, ...(model.export ? {} : { weight_bytes: weightBytes(model.spec, dtype) }) };
}

/** What a budget was asked for, and what the layers that are not skipped hold on average, by the sizes known before. */
function budgetOf(
  { table, skipLayers }: MeasureRequest,
  { budget }: ResolvedConfiguration,
  { quality }: Passes,
): Pick<ConfigurationRecord, "budget"> {
  return budget ? { budget: { ...budget, held_entries: meanHeld(table, skipLayers, quality) } } : {};
}

function configOf(
  requests: readonly MeasureRequest[],
  configurations: readonly ResolvedConfiguration[],
  input: RunInput,
  options: BenchmarkOptions,
): RunConfig {
  const { model, hub, skipLayers, text, found: { device } } = input;
  const { num_samples, max_tokens, max_new_tokens, prompt_tokens, num_warmup, repetitions } = input.lengths;
  const { model_id = EMBEDDED_MODEL_ID, dataset = "moby_dick", kernels = "auto", seed = 0, command } = options;
  return {
    model_id,
    ...(hub ? { revision: hub.revision } : {}),
    weights: weightsOf(model),
    method: options.method ?? runTitle(configurations),
    num_samples,
    max_tokens,
    max_new_tokens,
    skip_layers: [...skipLayers],
    timestamp: localTimestamp(),
    prompt_tokens,
    prefill_chunk: options.prefill_chunk ?? null,
    dataset,
    ...text.terms,
    device,
    dtype: [...new Set(requests.map(({ dtype }) => dtype))].join(),
    // ONNX Runtime is told not to use it; this variable overrides what NVIDIA's libraries are told.
    tf32: device === "cuda" && readEnv("NVIDIA_TF32_OVERRIDE") === "1",
    positions: [...new Set(requests.map(({ positions }) => positions))].join(),
    num_warmup,
    repetitions,
    passes: options.passes ?? "both",
    divergence: options.divergence !== false && options.passes !== "speed",
    ...(options.compared_with === undefined ? {} : { compared_with: options.compared_with }),
    texts: input.texts,
    successive: options.successive ?? false,
    seed,
    kernels,
    ...(command === undefined ? {} : { command: [...command] }),
  };
}

async function environmentOf({ model, hub, text, samples, found }: RunInput): Promise<Environment> {
  const { path } = model;
  return describeEnvironment({
    gpu: found.gpu,
    onnxruntime: found.onnxruntime,
    onnxruntime_path: found.onnxruntimePath,
    providers: [...found.providers],
    ...(hub ? { model_commit: hub.commit } : {}),
    model_sha256: {
      ...await sha256OfFiles(path, ["config.json", "tokenizer.json"]),
      ...(model.gguf ? { [model.gguf.file]: model.gguf.sha256 } : {}),
    },
    weights_fingerprint: await fingerprints(path, weightFiles(model)),
    code_sha256: await codeDigest(),
    ...(text.commit === undefined ? {} : { text_commit: text.commit }),
    text_sha256: await text.sha256(),
    samples_sha256: samples.map(sha256OfTokens),
  });
}

async function fingerprints(folder: string, files: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const file of files) found[file] = await fingerprintOfFile(join(folder, file));
  return found;
}

/** Distinguishes methods with the same name and parameters: for example a script's method before and after a change. */
function policyDigest({ table, score, attentionUse }: MeasureRequest): string {
  return createHash("sha256").update(JSON.stringify([table, score, attentionUse])).digest("hex");
}
