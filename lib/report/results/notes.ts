import type { ConfigurationRecord, DroppedEntries, PassChoice, RawResult, RunConfig } from "./types.ts";

/** Figures that every sample has, by the pass that measures them. */
const FIGURES_OF = {
  quality: ["perplexity", "accuracy"],
  speed: ["ttft", "tpot", "throughput"],
} as const;

type Figure = typeof FIGURES_OF[keyof typeof FIGURES_OF][number];

/** Fields of a raw result that {@linkcode notesOf} reads. */
export type NotedSample = Pick<RawResult, "sample" | "nll" | "peak_vram_gb" | Figure>;

/** Which passes were made, both if left out, and their lengths: from results.json's `config`. */
export type PassLengths = Pick<RunConfig, "max_tokens" | "prompt_tokens" | "max_new_tokens" | "passes">;

/**
 * Notes what a reader of a configuration's figures must know: which figures are not finite and since when, VRAM that
 * was measured in only some samples, and that nothing was compressed. Figures of a pass that was not asked for are not
 * missed.
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
    ...samples.flatMap((sample) => finiteNotes(sample, lengths.passes)),
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

/**
 * Whether a pass was asked for.
 *
 * @param pass The pass.
 * @param passes Which passes the run makes; both if left out, as in results of schema 1.
 *
 * @example
 * ```ts
 * import { isAskedFor } from "./notes.ts";
 *
 * console.log(isAskedFor("speed", "quality"), isAskedFor("speed", undefined)); // false true
 * ```
 */
export function isAskedFor(pass: "speed" | "quality", passes: PassChoice | undefined): boolean {
  return passes === undefined || passes === "both" || passes === pass;
}

function figuresOf(passes: PassChoice | undefined): Figure[] {
  return (["quality", "speed"] as const).flatMap((pass) => isAskedFor(pass, passes) ? FIGURES_OF[pass] : []);
}

/**
 * Whether all figures of a sample are finite that were asked for.
 *
 * @param sample The sample.
 * @param passes Which passes the run makes; both if left out.
 *
 * @example
 * ```ts
 * import { isFiniteSample } from "./notes.ts";
 *
 * const sample = { perplexity: NaN, accuracy: NaN, ttft: 0.01, tpot: 0.002, throughput: 400 };
 * console.log(isFiniteSample(sample), isFiniteSample(sample, "speed")); // false true
 * ```
 */
export function isFiniteSample(sample: Pick<NotedSample, Figure>, passes?: PassChoice): boolean {
  return figuresOf(passes).every((figure) => Number.isFinite(sample[figure]));
}

/** Names the figures of a sample that are not finite, and the cause in the quality pass. */
function finiteNotes(sample: NotedSample, passes: PassChoice | undefined): string[] {
  const broken = figuresOf(passes).filter((figure) => !Number.isFinite(sample[figure]));
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

/**
 * Returns the passes, of those asked for, in which a configuration keeps everything. The full cache is meant to, so it
 * has none.
 */
export function passesWithoutDrops(
  { method, dropped }: Pick<ConfigurationRecord, "method" | "dropped">,
  passes: PassChoice | undefined,
): (keyof DroppedEntries)[] {
  if (method === "baseline" || dropped === undefined) return [];
  return (["quality", "speed"] as const).filter((pass) => isAskedFor(pass, passes) && dropped[pass] === 0);
}

/**
 * Notes that a configuration drops nothing in a pass.
 *
 * @returns The sentence; undefined if it drops something in every pass.
 */
export function droppedNote(
  record: Pick<ConfigurationRecord, "method" | "dropped">,
  lengths: PassLengths,
): string | undefined {
  const passes = passesWithoutDrops(record, lengths.passes);
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
