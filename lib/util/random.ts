/**
 * Returns a generator of numbers that follow from a seed: mulberry32, for order and resampling, not for secrets.
 *
 * @example
 * ```ts
 * import { seededRandom } from "./random.ts";
 *
 * console.log(seededRandom(7)() === seededRandom(7)()); // true
 * ```
 *
 * @param seed An integer; only its low 32 bits count.
 * @returns A function that returns the next number, 0 <= x < 1.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Returns the items in random order (Fisher and Yates).
 *
 * @example
 * ```ts
 * import { seededRandom, shuffled } from "./random.ts";
 *
 * console.log(shuffled(["a", "b", "c"], seededRandom(1)).length); // 3
 * ```
 *
 * @param items Any items; the list stays as it is.
 * @param random Returns the next number, 0 <= x < 1.
 */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
