import { milliseconds as ms } from "../results/duration.ts";
import { FEWEST_STEPS, manyOutliers } from "../results/outliers.ts";
import { median } from "../results/stats.ts";

/** A first step of this many times the median of the others causes a warning. */
const COLD_FACTOR = 1.5;

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

  // The first step has its own warning.
  const many = manyOutliers(long);
  if (many !== undefined) {
    const { outliers, steps, slowest } = many;
    warnings.push(
      `${outliers} of ${steps} steps are outliers (the slowest took ${ms(slowest)}): other work on this machine may ` +
        "have disturbed the measurement",
    );
  }
  return warnings;
}
