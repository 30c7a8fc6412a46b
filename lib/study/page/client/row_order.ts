/** What a row is sorted by; undefined goes to the end in both directions. */
export type Key = number | string | undefined;

/**
 * Returns the order of rows: numbers by size, texts as people do, "9" before "10". Rows with equal keys keep their
 * order.
 *
 * @param keys One for each row.
 * @param descending Whether the largest is first.
 * @returns Indices of rows.
 *
 * @example
 * ```ts
 * import { rowOrder } from "./row_order.ts";
 *
 * console.log(rowOrder([3, undefined, 1], false), rowOrder([3, undefined, 1], true)); // [ 2, 0, 1 ] [ 0, 2, 1 ]
 * ```
 */
export function rowOrder(keys: readonly Key[], descending: boolean): number[] {
  const collator = new Intl.Collator("en", { numeric: true });
  const sign = descending ? -1 : 1;
  return [...keys.keys()].sort((first, second) => {
    const [a, b] = [keys[first], keys[second]];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    return sign * (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b)));
  });
}

/**
 * Returns a test whether a text has all words of a search, in any order and case.
 *
 * @example
 * ```ts
 * import { searchFor } from "./row_order.ts";
 *
 * console.log(searchFor("H2O 25")("h2o_25% of h2o"), searchFor("tova")("h2o")); // true false
 * ```
 */
export function searchFor(words: string): (text: string) => boolean {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return (text) => {
    const lower = text.toLowerCase();
    return wanted.every((word) => lower.includes(word));
  };
}
