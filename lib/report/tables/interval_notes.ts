import type { Interval, TimeComparison } from "../results/spread_types.ts";
import type { BenchmarkResults } from "../results/types.ts";
import { roundsToFind } from "../statistics/rounds_to_find.ts";
import { comparedWith } from "../results/compared_with.ts";
import { bracketed, ratioPercent, signed } from "./interval_text.ts";

/** Name of the configuration that measures the full cache once more. */
const AGAIN = "baseline_again";

/** Difference in TPOT that a run should be able to show. */
const DIFFERENCE = 0.1;

const METHODS: Readonly<Record<TimeComparison["by"], string>> = { wilcoxon: "Wilcoxon", t: "Student's t" };

/** Fields of results.json that {@linkcode intervalNotes} reads. */
export interface IntervalResults extends Pick<BenchmarkResults, "comparisons" | "drift" | "speed_runs"> {
  /** Number of text samples, and what others are compared with. */
  config: Pick<BenchmarkResults["config"], "num_samples" | "compared_with">;
}

/**
 * Formats what a reader must know of the intervals: how they were made, what they do not cover, how the machine changed
 * from round to round, and how far the full cache is from itself if it was measured twice.
 *
 * @param results A run's results.
 * @returns The lines joined by "\n"; "" if there are no intervals.
 *
 * @example
 * ```ts
 * import { intervalNotes } from "./interval_notes.ts";
 *
 * const same = { estimate: 1.004, low: 0.988, high: 1.021, confidence: 0.95 };
 * const time = { rounds: 6, by: "wilcoxon" as const, ttft: same, tpot: same, throughput: same };
 * console.log(intervalNotes({ config: { num_samples: 2 }, comparisons: { baseline_again: { time } } }));
 * // Times: 95 % intervals, Wilcoxon over 6 rounds
 * // A/A: the full cache, measured twice, differs by TPOT +0.4 % [-1.2, +2.1]
 * ```
 */
export function intervalNotes({ comparisons = {}, drift, config, speed_runs = [] }: IntervalResults): string {
  const all = Object.values(comparisons);
  const times = all.flatMap(({ time }) => time ?? []);
  const qualities = all.flatMap(({ quality }) => quality ?? []);
  const again = comparisons[AGAIN]?.time?.tpot;
  return [
    ...lineOf("Times", times.map((time) => ({ interval: time.tpot, how: `${METHODS[time.by]} over ${rounds(time)}` }))),
    ...lineOf(
      "PPL, Acc",
      qualities.map((quality) => ({
        interval: quality.ln_ppl_ratio,
        how: `block bootstrap over the steps of ${count(config.num_samples, "sample")} of ${textsOf(quality.texts)}`,
      })),
    ),
    ...driftLine(drift),
    ...roundsLine(speed_runs, comparedWith(config), Math.max(0, ...times.map(({ rounds }) => rounds))),
    ...(again === undefined ? [] : [`A/A: the full cache, measured twice, differs by TPOT ${intervalText(again)}`]),
  ].join("\n");
}

/**
 * Such as "Times: 95 % intervals, Wilcoxon over 6 rounds"; several ways are joined, each once. One round has no interval,
 * nor have figures that are not finite.
 */
function lineOf(what: string, ways: readonly { interval: Interval; how: string }[]): string[] {
  const made = ways.filter(({ interval }) => interval.confidence > 0);
  const texts = new Set(made.map(({ interval, how }) => `${share(interval.confidence)} % intervals, ${how}`));
  return texts.size === 0 ? [] : [`${what}: ${[...texts].join("; ")}`];
}

/** How many rounds would find a difference that users care about, if these are too few. */
function roundsLine(runs: NonNullable<IntervalResults["speed_runs"]>, reference: string, made: number): string[] {
  const needed = roundsToFind(runs, reference, DIFFERENCE);
  if (needed === undefined || needed <= made) return [];
  return [`To find a difference of 10 % in TPOT in 9 of 10 runs: about ${needed} rounds (--repetitions ${needed})`];
}

function rounds({ rounds }: TimeComparison): string {
  return count(rounds, "round");
}

function count(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function textsOf(texts: number): string {
  return texts === 1 ? "one book: they say nothing about other books" : `${texts} texts`;
}

/** 0.95 as "95", 0.96875 as "96.9". */
function share(confidence: number): string {
  return String(Number((confidence * 100).toFixed(1)));
}

function driftLine(drift: IntervalResults["drift"]): string[] {
  const rounds = drift?.tpot.filter(Number.isFinite) ?? [];
  if (rounds.length < 2) return [];
  const most = Math.max(...rounds.map((ratio) => Math.abs(ratio - 1)));
  return [`Drift: TPOT of the rounds differs by up to ${(most * 100).toFixed(1)} % from the median`];
}

function intervalText(ratio: Interval): string {
  const { estimate, ...ends } = ratioPercent(ratio);
  return `${signed(estimate, 1)} % ${bracketed(ends, 1)}`.trimEnd();
}
