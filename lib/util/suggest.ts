/**
 * Finds the name nearest to a typed one, to suggest in an error: by edit distance, or because one begins with the
 * other.
 *
 * @example
 * ```ts
 * import { suggest } from "./suggest.ts";
 *
 * console.log(suggest("streming_llm", ["baseline", "streaming_llm"])); // streaming_llm
 * console.log(suggest("xyzzy", ["baseline", "streaming_llm"])); // undefined
 * ```
 *
 * @param typed The name as typed.
 * @param names Valid names.
 * @returns The nearest name; undefined if none is near.
 */
export function suggest<const T extends string>(typed: string, names: readonly T[]): T | undefined {
  const wanted = typed.toLowerCase();
  let nearest: T | undefined;
  // Up to a third of the letters wrong is a typing error; more is another word.
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 0.5;
  for (const name of names) {
    // "streaming" for "streaming_llm": many letters apart and yet clear, though less so than one wrong letter.
    const begun = wanted.length >= 3 && (name.startsWith(wanted) || wanted.startsWith(name));
    const distance = begun ? Math.min(1.25, editDistance(wanted, name)) : editDistance(wanted, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

/**
 * Counts the insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
 *
 * @param a One string.
 * @param b The other.
 * @returns The least number (optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
