import { fault, type FlagReader, integer, listOfLists } from "./values.ts";

/** Most values of a list. */
const MOST = 10_000;

/**
 * Reads a comma-separated list of integers and ranges of integers; no value may occur twice. `0-3` is 0,1,2,3;
 * `128-1024*2` is 128,256,512,1024; `128-512+128` is 128,256,384,512. The end is included if it is reached.
 *
 * @example
 * ```ts
 * import { integers } from "./ranges.ts";
 *
 * console.log(integers(1)("cache_sizes", "96,128-512*2")); // [ 96, 128, 256, 512 ]
 * ```
 *
 * @param min The least valid integer.
 * @param why Added to the message about a smaller one.
 * @returns The reader, which throws an InputError for a range that is empty or has more than 10,000 values.
 */
export function integers(min: number, why?: string): FlagReader<readonly number[]> {
  return listWithRanges(integer(min, why), min, why);
}

/**
 * Reads a comma-separated list of what `item` reads and of ranges of integers of at least `min`.
 *
 * @param item Reads an item that is no range.
 * @param min The least valid integer of a range.
 * @param why Added to the message about a smaller one.
 */
export function listWithRanges<T>(item: FlagReader<T>, min: number, why?: string): FlagReader<readonly (T | number)[]> {
  const bound = integer(min, why);
  const list = listOfLists<T | number>((flag, text) => {
    const [, first, last, sign, by] = /^(\d+)\s*-\s*(\d+)(?:\s*([*+])\s*(.*))?$/s.exec(text) ?? [];
    if (first === undefined || last === undefined) return [item(flag, text)];
    const [from, to] = [bound(flag, first), bound(flag, last)];
    if (from > to) throw fault(flag, text, `the range is empty: ${from} is over ${to}; give the smaller one first`);
    const step = by === undefined ? 1 : /^\d+$/.test(by) ? Number(by) : NaN;
    if (sign === "*" && !(step >= 2 && from >= 1)) {
      throw fault(flag, text, "give a range from at least 1 by an integer factor of at least 2, such as 128-1024*2");
    }
    if (!(step >= 1)) throw fault(flag, text, "give a range by an integer step of at least 1, such as 128-512+128");
    if (sign !== "*" && Math.floor((to - from) / step) >= MOST) {
      throw fault(flag, text, `the range has more than ${MOST} values; give a larger step`);
    }
    return valuesOf(from, to, (value) => sign === "*" ? value * step : value + step);
  });
  return (flag, text) => {
    const values = list(flag, text);
    if (values.length > MOST) throw fault(flag, text, `the list has ${values.length} values; give at most ${MOST}`);
    return values;
  };
}

function valuesOf(from: number, to: number, next: (value: number) => number): number[] {
  const values: number[] = [];
  for (let value = from; value <= to; value = next(value)) values.push(value);
  return values;
}
