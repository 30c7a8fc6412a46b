import { median } from "../results/stats.ts";

/** A first step of this many times the median of the others causes a warning. */
const COLD_FACTOR = 1.5;
/** Distance from the median, in robust standard deviations, above which a step is an outlier: hyperfine's threshold. */
const OUTLIER_DEVIATIONS = 10;
/** An outlier also exceeds the median by this factor: among steps that hardly vary every hiccup would be an outlier. */
const OUTLIER_FACTOR = 1.2;
/** Share of outliers among the steps above which they cause a warning. */
const OUTLIER_SHARE = 0.01;
/** Converts a median absolute deviation to an estimate of the standard deviation of normally distributed values. */
const MAD_TO_STD = 1.4826;
/** Least number of steps that show what is usual. */
const FEWEST_STEPS = 8;

/**
 * Checks the raw step times of one configuration for what a mean hides, as hyperfine does: a cold first step, and
 * outliers. The figures stay as measured; the reader is warned.
 *
 * @param stepTimes Times of the speed pass's steps, s: one list for each text sample.
 * @returns Sentences for the user, without the configuration's name; empty if nothing stands out.
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

  // The first step has its own warning and is left out here; each sample is compared with its own median.
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
