import { hardwareOf } from "../cell_terms.ts";
import type { BenchmarkResults, ConfigurationRecord, Environment } from "../../report/results/types.ts";

/** A hash, if it is known. */
type Hash = string | null | undefined;

/** A configuration of a run. */
export interface MeasuredIn {
  /** The run. */
  readonly results: BenchmarkResults;
  /** The configuration. */
  readonly record: ConfigurationRecord;
}

/**
 * Whether two runs used the same model, by the hashes that both have: a run that was ended early has those of its weight
 * files only in samples.
 *
 * @example
 * ```ts
 * import { sameModel } from "./same_inputs.ts";
 *
 * console.log(sameModel({ model_sha256: { "config.json": "1" } }, { model_sha256: { "config.json": "2" } })); // false
 * ```
 *
 * @param a One run's environment.
 * @param b The other's.
 */
export function sameModel(
  a: Pick<Environment, "model_sha256" | "weights_fingerprint">,
  b: Pick<Environment, "model_sha256" | "weights_fingerprint">,
): boolean {
  const differ = (a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}) =>
    Object.entries(a).some(([file, hash]) => Object.hasOwn(b, file) && b[file] !== hash);
  return !differ(a.model_sha256, b.model_sha256) && !differ(a.weights_fingerprint, b.weights_fingerprint);
}

/**
 * Lists what differs between two measurements of a cell, in addition to their times. Nothing that decides quality may
 * differ if the likelihoods are to be equal to the last bit.
 *
 * @example
 * ```ts
 * import { differencesOf, type MeasuredIn } from "./same_inputs.ts";
 *
 * const isSame = (a: MeasuredIn, b: MeasuredIn) => differencesOf(a, b).quality.length === 0;
 * ```
 *
 * @param a One measurement.
 * @param b The other.
 * @returns `quality`: what may change likelihoods; `time`: what changes times only. Worded as `code 1a2b3c → 4d5e6f`.
 */
export function differencesOf(a: MeasuredIn, b: MeasuredIn): { quality: string[]; time: string[] } {
  const [one, two] = [a.results, b.results];
  const change = (name: string, from: unknown, to: unknown) => from === to ? [] : [`${name} ${from} → ${to}`];
  // Whole hashes are compared, and their first digits shown.
  const hash = (name: string, from: Hash, to: Hash) =>
    from === to ? [] : [`${name} ${shortHash(from)} → ${shortHash(to)}`];
  const [ea, eb] = [one.environment, two.environment];
  const build = ({ code_sha256, git_commit }: Environment) => code_sha256 ?? git_commit;
  const unknown = build(ea) == null && build(eb) == null;
  return {
    quality: [
      ...hash("code", build(ea), build(eb)),
      // Two unknown builds are not known to be the same.
      ...unknown ? ["code unknown"] : [],
      ...sameModel(ea, eb) ? [] : ["model's files differ"],
      ...hash("text", ea.text_sha256, eb.text_sha256),
      ...change("hardware", hardwareOf(one), hardwareOf(two)),
      ...change("ONNX Runtime", ea.onnxruntime, eb.onnxruntime),
      ...change("attention", a.record.attention, b.record.attention),
      ...change("kernels", a.record.kernels ?? "unknown", b.record.kernels ?? "unknown"),
      ...change("seed", one.config.seed, two.config.seed),
      ...change("samples", one.config.num_samples, two.config.num_samples),
      ...change("TF32", one.config.tf32 ?? false, two.config.tf32 ?? false),
      ...change("driver", ea.gpu?.driver, eb.gpu?.driver),
    ],
    time: [
      ...change("host", ea.host ?? "unknown", eb.host ?? "unknown"),
      ...change("system", ea.os, eb.os),
    ],
  };
}

/** Returns the first digits of a hash. */
function shortHash(hash: Hash): string {
  return hash?.slice(0, 10) ?? "unknown";
}
