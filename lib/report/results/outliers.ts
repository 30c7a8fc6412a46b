import { median } from "./stats.ts";

/** Distance from the median, in robust standard deviations, above which a step is an outlier: hyperfine's threshold. */
const OUTLIER_DEVIATIONS = 10;
/** An outlier also exceeds the median by this factor: among steps that hardly vary every hiccup would be an outlier. */
const OUTLIER_FACTOR = 1.2;
/** Share of outliers among the steps above which they are many. */
const OUTLIER_SHARE = 0.01;
/** Converts a median absolute deviation to an estimate of the standard deviation of normally distributed values. */
const MAD_TO_STD = 1.4826;

/** Least number of steps that show what is usual. */
export const FEWEST_STEPS = 8;

/** Steps that took far longer than usual. */
export interface Outliers {
  /** How many. */
  readonly outliers: number;
  /** Of how many steps. */
  readonly steps: number;
  /** Time of the slowest, s. */
  readonly slowest: number;
}

/**
 * Looks for many outliers among step times, as hyperfine does among runs. The first step of each list is left out: it is
 * often cold, and includes the eviction after the prompt. Each list is compared with its own median.
 *
 * @param stepTimes Times of the steps, s: one list for each pass. Lists of a handful of steps are left out.
 * @returns The outliers; undefined if they are not more than one in a hundred.
 *
 * @example
 * ```ts
 * import { manyOutliers } from "./outliers.ts";
 *
 * const steps = Array(100).fill(0.004);
 * console.log(manyOutliers([steps])); // undefined
 * console.log(manyOutliers([steps.fill(0.5, 50, 53)])); // { outliers: 3, steps: 99, slowest: 0.5 }
 * ```
 */
export function manyOutliers(stepTimes: readonly (readonly number[])[]): Outliers | undefined {
  let steps = 0;
  let outliers = 0;
  let slowest = 0;
  for (const times of stepTimes) {
    if (times.length < FEWEST_STEPS) continue;
    const rest = times.slice(1);
    const centre = median(rest);
    const deviation = MAD_TO_STD * median(rest.map((time) => Math.abs(time - centre)));
    const limit = Math.max(centre + OUTLIER_DEVIATIONS * deviation, OUTLIER_FACTOR * centre);
    const over = rest.filter((time) => time > limit);
    steps += rest.length;
    outliers += over.length;
    for (const time of over) slowest = Math.max(slowest, time);
  }
  return outliers > OUTLIER_SHARE * steps ? { outliers, steps, slowest } : undefined;
}
