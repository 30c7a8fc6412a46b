import { InputError } from "../errors.ts";
import { readResults } from "../report/results_file.ts";
import type { BenchmarkResults, RawResult } from "../report/types.ts";

/** What a finished part of a configuration says when the rest of it was not measured. */
export const INTERRUPTED = "interrupted";

/** What an earlier run has measured. */
export interface Earlier {
  /** Its results.json. */
  readonly results: BenchmarkResults;
  /** Finished samples by the configuration's name, in order. */
  readonly samples: ReadonlyMap<string, readonly RawResult[]>;
}

/**
 * Reads what a run had measured when it ended, and refuses to mix it with figures on other terms: another model, text,
 * length, device, code.
 *
 * @param folder The run's folder.
 * @param planned The run as it is planned now, without figures.
 * @returns What need not be measured again.
 * @throws {InputError} Naming each term that differs.
 */
export async function readEarlier(folder: string, planned: BenchmarkResults): Promise<Earlier> {
  const results = await readResults(folder);
  const differences = compareTerms(termsOf(results), termsOf(planned));
  if (differences.length > 0) {
    const more = differences.length > 5 ? `; and ${differences.length - 5} more` : "";
    throw new InputError(
      `Cannot resume ${folder}: it was measured on other terms: ${differences.slice(0, 5).join("; ")}${more}; ` +
        "start a new run without --resume",
    );
  }
  const finished = [...results.raw_results, ...results.failures.flatMap(({ samples = [] }) => samples)];
  return { results, samples: Map.groupBy(finished, ({ method }) => method) };
}

/** Terms under which figures may stand in one table, by what to call them. */
function termsOf({ config, environment, configurations }: BenchmarkResults): Map<string, unknown> {
  const { timestamp: _, resumed: __, command: ___, ...settings } = config;
  const { gpu, cpu, model_sha256, ...rest } = environment;
  const terms = new Map<string, unknown>(Object.entries(settings));
  terms.set("configurations", configurations.map(({ name }) => name).join(", "));
  for (const { name, method, params, positions, attention } of configurations) {
    terms.set(`configuration ${name}`, { method, params, positions, attention });
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
  // Of a hash, as much as tells it apart.
  const text = whole.replaceAll(/\b([0-9a-f]{8})[0-9a-f]{32,}\b/g, "$1…");
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** Objects with their fields in one order: two files need not agree on that. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}
