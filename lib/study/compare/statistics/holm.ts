/**
 * Adjusts probabilities for how many there are (Holm 1979): if every one below 0.05 is called a finding, the chance of
 * one or more false findings is at most 5 %, whatever the tests have to do with each other.
 *
 * @example
 * ```ts
 * import { holm } from "./holm.ts";
 *
 * console.log(holm([0.01, 0.5, 0.02])); // [ 0.03, 0.5, 0.04 ]
 * ```
 *
 * @param probabilities Of each test.
 * @returns The adjusted ones, in the same order; at most 1.
 */
export function holm(probabilities: readonly number[]): number[] {
  const adjusted = new Array<number>(probabilities.length);
  let least = 0;
  [...probabilities.entries()].toSorted(([, a], [, b]) => a - b).forEach(([index, p], place) => {
    least = Math.max(least, Math.min(1, p * (probabilities.length - place)));
    adjusted[index] = least;
  });
  return adjusted;
}
