import { modelFileName } from "../../report/results/results_folder.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { shown } from "./escape.ts";

/** A term and its value. */
export type Term = readonly [name: string, value: string];

/** Hex digits shown of a hash in labels. */
const SHORT = 8;

const list = (texts: readonly (string | undefined)[], between = ", ") =>
  texts.filter((text) => text !== undefined && text !== "").join(between);

const hashes = (by: Readonly<Record<string, string>>) =>
  list(Object.entries(by).sort().map(([file, hash]) => `${file} ${hash}`));

/**
 * Lists the terms of a run: everything that its figures depend on and that is the same for all of its rows.
 *
 * @param results A run's results.
 * @returns Names and values in the order of the page; what results do not have is left out. Not escaped.
 *
 * @example
 * ```ts
 * import { runTerms } from "./terms.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const driver = (results: BenchmarkResults) => runTerms(results).find(([name]) => name === "Driver")?.[1];
 * ```
 */
export function runTerms({ config, environment }: BenchmarkResults): Term[] {
  const { gpu, cpu } = environment;
  const chunk = config.prefill_chunk;
  const rounds = config.repetitions;
  const terms: (readonly [string, string | undefined])[] = [
    ["Model", list([config.model_id, config.weights], ", weights from ")],
    ["Revision", list([config.revision, environment.model_commit], ", commit ")],
    ["Model's SHA-256", hashes(environment.model_sha256)],
    ["Text", list([config.dataset, config.split, config.text_column])],
    ["Text's commit", environment.text_commit],
    ["Text's SHA-256", environment.text_sha256],
    ["Samples", `${config.num_samples}${config.texts === undefined ? "" : ` of ${plural(config.texts, "text")}`}`],
    ["Lengths", lengthsOf(config) + (chunk ? `, the prompt in chunks of ${chunk}` : "")],
    ["Number type", config.dtype + (config.tf32 ? ", products in TF32" : "")],
    ["Positions", config.positions],
    ["Layers never compressed", config.skip_layers.length === 0 ? "none" : config.skip_layers.join(", ")],
    ["Seed", String(config.seed)],
    ["Passes", list([config.passes, rounds === undefined ? undefined : `${plural(rounds, "round")} of speed passes`])],
    ["Warm-up runs", String(config.num_warmup)],
    ["Kernels asked for", config.kernels],
    ["Device", gpu === null ? `CPU: ${cpu.model}, ${plural(cpu.cores, "core")}` : gpu.name],
    ["Driver", gpu === null ? undefined : `${gpu.driver}, CUDA ${gpu.cuda_driver}`],
    [
      "Clocks",
      gpu === null ? undefined : `up to ${gpu.clocks_mhz.max_sm} MHz, memory ${gpu.clocks_mhz.max_memory} MHz`,
    ],
    ["Host", list([environment.host, gpu === null ? undefined : `${cpu.model}, ${plural(cpu.cores, "core")}`])],
    ["System", environment.os],
    [
      "Versions",
      `kvcompress ${environment.kvcompress}, Deno ${environment.deno}, ONNX Runtime ${environment.onnxruntime}`,
    ],
    ["Commit", environment.git_commit ?? "unknown"],
    ["Code's SHA-256", environment.code_sha256 ?? undefined],
    ["Time zone", environment.time_zone],
  ];
  return terms.flatMap(([name, value]) => value === undefined || value === "" ? [] : [[name, shown(value, 500)]]);
}

function lengthsOf(config: BenchmarkResults["config"]): string {
  return `prompt ${config.prompt_tokens}, ${config.max_new_tokens} generated; ${config.max_tokens} read for quality`;
}

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** What rows must share to be drawn in one picture. */
export interface GroupTerms {
  /** In full: equal for runs of the same group. */
  key: string;
  /** Parts of its label, the same number for all. */
  parts: readonly string[];
  /** Parts that tell equal labels apart. */
  hashes: readonly string[];
}

/**
 * Returns what a run's rows must share with another's to be compared: model, text, lengths, number type and hardware.
 * The code is not among it: that is what changes from night to night.
 *
 * @param results A run's results.
 *
 * @example
 * ```ts
 * import { groupTerms } from "./terms.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const comparable = (a: BenchmarkResults, b: BenchmarkResults) => groupTerms(a).key === groupTerms(b).key;
 * ```
 */
export function groupTerms({ config, environment }: BenchmarkResults): GroupTerms {
  const { model_sha256, weights_fingerprint = {}, text_sha256, samples_sha256 = [] } = environment;
  // A run that ended early has no hash of its weights, but their fingerprint.
  const weights = Object.entries(model_sha256).filter(([file]) => !file.endsWith(".json"));
  const known = weights.length > 0 ? weights : Object.entries(weights_fingerprint);
  const model = hashes(Object.fromEntries(known.length > 0 ? known : Object.entries(model_sha256)));
  const text = `${text_sha256} ${samples_sha256.join(" ")}`;
  const parts = [
    modelFileName(config.model_id),
    environment.gpu?.name ?? `${environment.cpu.model}, ${plural(environment.cpu.cores, "core")}`,
    config.dtype + (config.tf32 ? " (TF32)" : ""),
    `${plural(config.num_samples, "sample")} of ${config.dataset.split(/[/\\]/).at(-1)}`,
    lengthsOf(config) + (config.prefill_chunk ? ` (chunks of ${config.prefill_chunk})` : ""),
  ].map((part) => shown(part, 100));
  return {
    key: JSON.stringify([...parts, config.dataset, config.weights, model, text]),
    parts,
    hashes: [`weights ${shortHash(model)}`, `text ${shortHash(samples_sha256[0] ?? text_sha256)}`],
  };
}

/** The first digits of the last hash in a text. */
function shortHash(text: string): string {
  return shown(text.trim().split(" ").at(-1)!.slice(0, SHORT));
}

/**
 * Labels groups: by what tells them apart.
 *
 * @param groups All groups of a page.
 * @returns A label for each: the model, and the parts in which groups differ. Hashes only where labels would be equal.
 *
 * @example
 * ```ts
 * import { groupLabels } from "./terms.ts";
 *
 * const group = (model: string, dtype: string) => ({ key: "", parts: [model, "GPU", dtype], hashes: [] });
 * console.log(groupLabels([group("a", "float16"), group("a", "float32")])); // [ "a · float16", "a · float32" ]
 * ```
 */
export function groupLabels(groups: readonly Omit<GroupTerms, "key">[]): string[] {
  const differs = (place: number) => new Set(groups.map(({ parts }) => parts[place])).size > 1;
  const labels = groups.map(({ parts }) => parts.filter((_, place) => place === 0 || differs(place)).join(" · "));
  const peers = Map.groupBy(labels.keys(), (index) => labels[index]!);
  return labels.map((label, index) => {
    const same = peers.get(label)!;
    const apart = groups[index]!.hashes.filter((_, place) =>
      new Set(same.map((peer) => groups[peer]!.hashes[place])).size > 1
    );
    return [label, ...apart].join(" · ");
  });
}
