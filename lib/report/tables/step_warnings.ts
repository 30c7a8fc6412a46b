import { median } from "../results/stats.ts";

/** A first step this many times the median of the others is pointed out. */
const COLD_FACTOR = 1.5;
/** Distance from the median, in robust standard deviations, from which a step is an outlier: hyperfine's threshold. */
const OUTLIER_DEVIATIONS = 10;
/** An outlier is also this much over the median: steps that hardly vary would make every hiccup an outlier. */
const OUTLIER_FACTOR = 1.2;
/** Outliers are pointed out where they are more than this share of the steps. */
const OUTLIER_SHARE = 0.01;
/** Turns a median absolute deviation into an estimate of the standard deviation of normally distributed values. */
const MAD_TO_STD = 1.4826;
/** Fewer steps than this say nothing about what is usual. */
const FEWEST_STEPS = 8;

/**
 * Looks at the raw step times of one configuration for what a mean hides, as hyperfine does: a cold first step, and
 * outliers. The figures stay as measured; the reader is told.
 *
 * @param stepTimes Times of the speed pass's steps, s: one list for each text sample.
 * @returns Sentences for people, without the configuration's name; none where nothing stands out.
 *
 * @example
 * ```ts
 * import { stepWarnings } from "./step_warnings.ts";
 *
 * console.log(stepWarnings([[0.09, ...Array(99).fill(0.003)]]));
 * // [ "The first step took 90.0 ms, 30.0 times the median of the others (3.00 ms): more warm-up may help (--num_warmup)" ]
 * ```
 */
export function stepWarnings(stepTimes: readonly (readonly number[])[]): string[] {
  const warnings: string[] = [];
  const long = stepTimes.filter((times) => times.length >= FEWEST_STEPS);

  const cold = long
    .map((times) => ({ first: times[0]!, usual: median(times.slice(1)) }))
    .filter(({ first, usual }) => first > COLD_FACTOR * usual)
    .toSorted((a, b) => b.first / b.usual - a.first / a.usual);
  const worst = cold[0];
  if (worst !== undefined) {
    const where = long.length > 1 ? ` (in ${cold.length} of ${long.length} samples)` : "";
    warnings.push(
      `The first step took ${ms(worst.first)}, ${(worst.first / worst.usual).toFixed(1)} times the median of the ` +
        `others (${ms(worst.usual)})${where}: more warm-up may help (--num_warmup)`,
    );
  }

  // The first step has its own sentence; here it is left out, and each sample is held against its own median.
  let steps = 0;
  let outliers = 0;
  let slowest = 0;
  for (const times of long) {
    const rest = times.slice(1);
    const centre = median(rest);
    const deviation = MAD_TO_STD * median(rest.map((time) => Math.abs(time - centre)));
    const limit = Math.max(centre + OUTLIER_DEVIATIONS * deviation, OUTLIER_FACTOR * centre);
    const over = rest.filter((time) => time > limit);
    steps += rest.length;
    outliers += over.length;
    for (const time of over) slowest = Math.max(slowest, time);
  }
  if (outliers > OUTLIER_SHARE * steps) {
    warnings.push(
      `${outliers} of ${steps} steps are outliers (the slowest took ${ms(slowest)}): other work on this machine may ` +
        `have disturbed the measurement`,
    );
  }
  return warnings;
}

/** Seconds as milliseconds with three significant digits. */
function ms(seconds: number): string {
  const value = seconds * 1000;
  const digits = value > 0 ? Math.max(0, 2 - Math.floor(Math.log10(value))) : 0;
  return `${value.toFixed(Math.min(digits, 6))} ms`;
}
