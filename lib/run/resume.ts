import { join } from "@std/path";
import { InputError } from "../util/errors.ts";
import { readResults } from "../report/results/results_file.ts";
import { localTimestamp } from "../report/results/results_folder.ts";
import { readTrace, traceFileName } from "../report/results/trace.ts";
import type { Trace } from "../report/results/trace_types.ts";
import type { SpeedRun } from "../report/results/spread_types.ts";
import type { BenchmarkResults, QualitySample, RawResult } from "../report/results/types.ts";
import type { MeasureRequest } from "./child/protocol.ts";
import { INTERRUPTED, type Ledger } from "./ledger.ts";

/** Why a run is not resumed whose terms differ; in the message. */
export const OTHER_TERMS = "it was measured on other terms";

/** What an earlier run measured. */
export interface Earlier {
  /** Its results.json. */
  readonly results: BenchmarkResults;
  /** Its finished speed passes. */
  readonly speed: readonly SpeedRun[];
  /** Its finished quality passes. */
  readonly quality: readonly QualitySample[];
  /** What caches held, if asked for. */
  readonly traces: readonly Trace[];
}

/**
 * Reads what a run had measured when it ended. Refuses to mix it with figures on other terms: another model, text,
 * length, device or code.
 *
 * @param folder The run's folder.
 * @param planned The run as planned now, without figures.
 * @param requests What to measure of each configuration.
 * @returns What need not be measured again.
 * @throws {InputError} Naming each term that differs.
 */
export async function readEarlier(
  folder: string,
  planned: BenchmarkResults,
  requests: readonly MeasureRequest[],
): Promise<Earlier> {
  const results = await readResults(folder);
  const differences = compareTerms(termsOf(results), termsOf(planned));
  if (differences.length > 0) {
    const more = differences.length > 5 ? `; and ${differences.length - 5} more` : "";
    throw new InputError(
      `Cannot resume ${folder}: ${OTHER_TERMS}: ${differences.slice(0, 5).join("; ")}${more}; ` +
        "start a new run without --resume",
    );
  }
  const measured = results.config.passes === "speed" ? [] : results.raw_results.map(qualityOf);
  let quality = [...measured, ...results.failures.flatMap(({ quality = [] }) => quality)];
  const traces: Trace[] = [];
  for (const request of requests.filter(({ trace }) => trace !== undefined)) {
    const trace = await traceOf(folder, request);
    if (trace) traces.push(trace);
    // A trace is of the first sample: if one is missing, the other has to be measured again too.
    else quality = quality.filter(({ method, sample }) => method !== request.name || sample !== 0);
  }
  return { results, speed: results.speed_runs ?? [], quality, traces };
}

/** Takes a sample's quality pass out of its raw result. */
function qualityOf(raw: RawResult): QualitySample {
  const { method, sample, perplexity, accuracy, nll, final_cache_size, layer_cache_sizes, right, divergence } = raw;
  return {
    ...{ method, sample, perplexity, accuracy, nll, final_cache_size, layer_cache_sizes },
    ...(right ? { right } : {}),
    ...(divergence ? { divergence } : {}),
    entries_copied: raw.entries_copied.quality,
  };
}

/** Returns a configuration's trace, if it exists and has the snapshots asked for. */
async function traceOf(folder: string, { name, trace, maxTokens }: MeasureRequest): Promise<Trace | undefined> {
  const every = trace?.every ?? maxTokens;
  const moments = Array.from({ length: Math.ceil(maxTokens / every) }, (_, i) => Math.min((i + 1) * every, maxTokens));
  const found = await readTrace(join(folder, traceFileName(name))).catch(() => undefined);
  return `${found?.snapshots.map(({ tokens }) => tokens)}` === `${moments}` ? found : undefined;
}

/** Copies what an earlier run measured into this one. Failed configurations are tried again, unless `keepFailed`. */
export function takeOver(
  results: BenchmarkResults,
  ledger: Ledger,
  { results: before, speed, quality }: Earlier,
  keepFailed = false,
): void {
  const { configurations, config, environment } = before;
  results.config.timestamp = config.timestamp;
  if (environment.duration_s !== undefined) results.environment.duration_s = environment.duration_s;
  for (const [index, record] of results.configurations.entries()) {
    const { kernels, kernels_reason, process_s } = configurations[index]!;
    Object.assign(record, kernels && { kernels }, kernels_reason && { kernels_reason }, process_s && { process_s });
  }
  for (const run of speed) ledger.addSpeed(run);
  for (const sample of quality) ledger.addQuality(sample);
  const failed = keepFailed ? before.failures.filter(({ reason }) => reason !== INTERRUPTED) : [];
  for (const { method, reason, log, code } of failed) ledger.fail({ method, reason, log, code });
  const isWhole = results.configurations.every(({ status }) => status === "done");
  const resumed = [...config.resumed ?? [], ...isWhole ? [] : [localTimestamp()]];
  if (resumed.length > 0) results.config.resumed = resumed;
}

/** Terms that must be equal for figures to share a table, by their names. */
function termsOf({ config, environment, configurations }: BenchmarkResults): Map<string, unknown> {
  const { timestamp: _, resumed: __, command: ___, ...settings } = config;
  const { gpu, cpu, model_sha256, ...rest } = environment;
  const terms = new Map<string, unknown>(Object.entries(settings));
  terms.set("configurations", configurations.map(({ name }) => name).join(", "));
  for (const { name, method, params, positions, attention, dtype, policy_sha256 } of configurations) {
    terms.set(`configuration ${name}`, { method, params, positions, attention, dtype, policy_sha256 });
  }
  terms.set("GPU", gpu?.name ?? null);
  terms.set("CPU", cpu);
  for (const name of ["config.json", "tokenizer.json"]) terms.set(`SHA-256 of ${name}`, model_sha256[name]);
  for (const [file, hash] of Object.entries(rest.weights_fingerprint ?? {})) terms.set(`fingerprint of ${file}`, hash);
  terms.set("model_commit", rest.model_commit);
  terms.set("text", rest.text_sha256);
  terms.set("samples", rest.samples_sha256);
  for (const name of ["kvcompress", "git_commit", "code_sha256", "deno", "onnxruntime"] as const) {
    terms.set(name, rest[name]);
  }
  return terms;
}

function compareTerms(before: Map<string, unknown>, now: Map<string, unknown>): string[] {
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((term) => {
    const [a, b] = [show(before.get(term)), show(now.get(term))];
    return a === b ? [] : [`${term} was ${a}, now ${b}`];
  });
}

function show(value: unknown): string {
  const whole = typeof value === "string" ? value : JSON.stringify(value, sorted) ?? "not there";
  // Of a hash, enough characters to tell it apart.
  const text = whole.replaceAll(/\b([0-9a-f]{8})[0-9a-f]{32,}\b/g, "$1…");
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** Sorts the fields of objects: two files may have them in different order. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}
