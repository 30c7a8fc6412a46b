/**
 * Orders jobs so that some come first: those, then what follows the last of them, and from the start again. Workers that
 * begin at different places seldom want the same job at the same time.
 *
 * @example
 * ```ts
 * import { firstOf } from "./first_of.ts";
 *
 * const jobs = [0, 1, 2, 3, 4].map((index) => ({ index }));
 * console.log(firstOf(jobs, [2, 1]).map(({ index }) => index)); // [ 2, 1, 3, 4, 0 ]
 * ```
 *
 * @param jobs The jobs, by index.
 * @param first Indices of those that come first, in their order.
 */
export function firstOf<T extends { readonly index: number }>(jobs: readonly T[], first: readonly number[]): T[] {
  const chosen = new Set(first);
  const last = Math.max(-1, ...first);
  const others = jobs.filter(({ index }) => !chosen.has(index));
  return [
    ...first.flatMap((index) => jobs.filter((job) => job.index === index)),
    ...others.filter(({ index }) => index > last),
    ...others.filter(({ index }) => index < last),
  ];
}
