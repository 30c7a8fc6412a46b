import { mean } from "../results/stats.ts";

/**
 * Returns the length of blocks for a circular block bootstrap of a series' mean: long enough to hold what neighbours
 * share, short enough to leave many blocks. Politis and White 2004 (Econometric Reviews 23), with the correction of
 * Patton, Politis and White 2009.
 *
 * @example
 * ```ts
 * import { blockLength } from "./block_length.ts";
 * import { seededRandom } from "../../util/random.ts";
 *
 * const random = seededRandom(1);
 * console.log(blockLength(Array.from({ length: 500 }, random)) < 10); // true: nothing is shared
 * ```
 *
 * @param series Finite numbers, in order.
 * @returns At least 1, at most a third of the series.
 */
export function blockLength(series: readonly number[]): number {
  const n = series.length;
  const most = Math.max(1, Math.min(Math.ceil(3 * Math.sqrt(n)), Math.floor(n / 3)));
  if (n < 10) return most;
  const centre = mean(series);
  const covariance = (lag: number) => {
    let sum = 0;
    for (let i = lag; i < n; i++) sum += (series[i]! - centre) * (series[i - lag]! - centre);
    return sum / n;
  };
  const variance = covariance(0);
  if (variance === 0) return 1;
  const longest = Math.min(n - 1, Math.ceil(Math.sqrt(n)) + run(n));
  const covariances = Array.from({ length: longest + 1 }, (_, lag) => lag === 0 ? variance : covariance(lag));
  const reach = Math.min(longest, 2 * lastShared(covariances, n));
  let slope = 0, level = variance;
  for (let lag = 1; lag <= reach; lag++) {
    // A flat top: lags up to half the reach count in full.
    const weight = Math.min(1, 2 * (1 - lag / reach));
    slope += 2 * weight * lag * covariances[lag]!;
    level += 2 * weight * covariances[lag]!;
  }
  const length = Math.cbrt(2 * slope ** 2 / (4 / 3 * level ** 2) * n);
  return Math.max(1, Math.min(most, Math.round(Number.isFinite(length) ? length : most)));
}

/** Number of lags in a row that have to be small. */
function run(n: number): number {
  return Math.max(5, Math.ceil(Math.sqrt(Math.log10(n))));
}

/** The last lag after which correlations are no larger than chance makes them. */
function lastShared(covariances: readonly number[], n: number): number {
  const limit = 2 * Math.sqrt(Math.log10(n) / n);
  const small = (lag: number) => Math.abs(covariances[lag] ?? 0) / covariances[0]! < limit;
  for (let lag = 1; lag < covariances.length; lag++) {
    if (Array.from({ length: run(n) }, (_, i) => lag + i).every(small)) return Math.max(1, lag - 1);
  }
  return covariances.length - 1;
}
