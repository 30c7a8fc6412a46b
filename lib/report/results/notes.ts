import type { ConfigurationRecord, DroppedEntries, RawResult, RunConfig } from "./types.ts";

/** Figures that every sample has. */
const FIGURES = ["perplexity", "accuracy", "ttft", "tpot", "throughput"] as const;

/** Fields of a raw result that {@linkcode notesOf} reads. */
export type NotedSample = Pick<RawResult, "sample" | "nll" | "peak_vram_gb" | typeof FIGURES[number]>;

/** Lengths of the passes, from results.json's `config`. */
export type PassLengths = Pick<RunConfig, "max_tokens" | "prompt_tokens" | "max_new_tokens">;

/**
 * Notes what a reader of a configuration's figures must know: which figures are not finite and since when, VRAM that
 * was measured in only some samples, and that nothing was compressed.
 *
 * @param record The configuration.
 * @param samples What was measured of it.
 * @param lengths How much each pass reads.
 * @returns Sentences without the configuration's name; empty if there is nothing to note.
 *
 * @example
 * ```ts
 * import { notesOf } from "./notes.ts";
 *
 * const sample = { sample: 0, nll: [2.5, NaN], perplexity: NaN, accuracy: NaN, peak_vram_gb: 0, ttft: 1, tpot: 1, throughput: 1 };
 * const lengths = { max_tokens: 2, prompt_tokens: 1, max_new_tokens: 2 };
 * console.log(notesOf({ method: "baseline" }, [sample], lengths));
 * // [ "perplexity and accuracy are not finite in sample 1: 1 of 2 NLLs is NaN, at step 1" ]
 * ```
 */
export function notesOf(
  record: Pick<ConfigurationRecord, "method" | "dropped" | "budget">,
  samples: readonly NotedSample[],
  lengths: PassLengths,
): string[] {
  const measured = samples.filter(({ peak_vram_gb }) => peak_vram_gb !== null).length;
  const dropped = droppedNote(record, lengths);
  const budget = budgetNote(record);
  return [
    ...samples.flatMap(finiteNotes),
    ...(measured === 0 || measured === samples.length
      ? []
      : [`peak VRAM was measured in ${measured} of ${samples.length} samples, so it has no mean`]),
    ...(dropped === undefined ? [] : [dropped]),
    ...(budget === undefined ? [] : [budget]),
  ];
}

/** Most by which a configuration may miss its budget without a note. */
const NEAR = 0.02;

/** Notes that a configuration does not hold its budget, for another reason than that the text is too short for it. */
function budgetNote({ budget, dropped }: Pick<ConfigurationRecord, "budget" | "dropped">): string | undefined {
  if (budget === undefined || dropped?.quality === 0) return undefined;
  const { held_entries: held, entries } = budget;
  if (Math.abs(held / entries - 1) <= NEAR) return undefined;
  return `holds ${Math.round(held * 10) / 10} entries a layer at the end of the quality pass, not ${entries}`;
}

/** Whether all figures of a sample are finite. */
export function isFiniteSample(sample: Pick<NotedSample, typeof FIGURES[number]>): boolean {
  return FIGURES.every((figure) => Number.isFinite(sample[figure]));
}

/** Names the figures of a sample that are not finite, and the cause in the quality pass. */
function finiteNotes(sample: NotedSample): string[] {
  const broken = FIGURES.filter((figure) => !Number.isFinite(sample[figure]));
  if (broken.length === 0) return [];
  const is = broken.length === 1 ? "is" : "are";
  const why = broken.includes("perplexity") ? `: ${nllFault(sample.nll)}` : "";
  return [`${broken.join(" and ")} ${is} not finite in sample ${sample.sample + 1}${why}`];
}

/**
 * Describes what is wrong with the NLLs: "3 of 1280 NLLs are NaN, the first at step 17". Steps count from 0, as in
 * `nll`.
 */
function nllFault(nll: readonly number[]): string {
  const broken = nll.flatMap((value, step) => Number.isFinite(value) ? [] : [step]);
  const [first] = broken;
  if (first === undefined) return "exp of the mean NLL is too large a number";
  const isNaN = broken.some((step) => Number.isNaN(nll[step]));
  const what = isNaN ? broken.every((step) => Number.isNaN(nll[step])) ? "NaN" : "NaN or infinite" : "infinite";
  return broken.length === 1
    ? `1 of ${nll.length} NLLs is ${what}, at step ${first}`
    : `${broken.length} of ${nll.length} NLLs are ${what}, the first at step ${first}`;
}

/** The passes in which a configuration keeps everything. The full cache is meant to, so it has none. */
export function passesWithoutDrops({ method, dropped }: Pick<ConfigurationRecord, "method" | "dropped">) {
  if (method === "baseline" || dropped === undefined) return [];
  return (["quality", "speed"] as const).filter((pass: keyof DroppedEntries) => dropped[pass] === 0);
}

/**
 * Notes that a configuration drops nothing in a pass.
 *
 * @returns The sentence; undefined if it drops something in both passes.
 */
export function droppedNote(
  record: Pick<ConfigurationRecord, "method" | "dropped">,
  lengths: PassLengths,
): string | undefined {
  const passes = passesWithoutDrops(record);
  return passes.length === 0 ? undefined : `nothing was dropped: it keeps ${heldTexts(passes, lengths)}`;
}

/** For example "all 1280 tokens of the quality pass and all 639 of the speed pass". */
export function heldTexts(
  passes: readonly (keyof DroppedEntries)[],
  { max_tokens, prompt_tokens, max_new_tokens }: PassLengths,
): string {
  // The last new token is not read.
  const tokens = { quality: max_tokens, speed: prompt_tokens + max_new_tokens - 1 };
  return passes.map((pass, i) => `all ${tokens[pass]} ${i === 0 ? "tokens " : ""}of the ${pass} pass`).join(" and ");
}
