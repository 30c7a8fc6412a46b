/** Returns the width of a text at a font size; both in points. */
export type MeasureText = (text: string, size: number) => number;

/** Height of a line of names, in font sizes. */
export const LINE_HEIGHT = 1.15;

/** What to try, from the best down; sizes are font sizes, points. */
const TRIES: readonly { size: number; upright: boolean; lines: number }[] = [
  ...[15, 13.5, 12, 11].map((size) => ({ size, upright: false, lines: size > 12 ? 2 : 4 })),
  ...[13, 12, 11, 10, 9, 8, 7].flatMap((size) => [1, 2, 3].map((lines) => ({ size, upright: true, lines }))),
  ...[1, 2, 3].map((lines) => ({ size: 6, upright: true, lines })),
];
/** Font size if nothing fits: smaller text cannot be read. */
const SMALLEST = 6;
/** Distance between neighbours, points: side by side, and upright. */
const GAP = { level: 5, upright: 1 };
/** Names may end at these; the character stays at the end of its line, except @. */
const BREAKS = /(?<=[_\s-])|(?=@)/;

/** How names stand under a chart. */
export interface FittedNames {
  /** Lines of each name, whole: joined they are the name. */
  lines: string[][];
  /** Font size, points. */
  size: number;
  /** Whether they read upwards, for want of width. */
  upright: boolean;
}

/**
 * Fits names under the slots of a chart, all in the same way and each in full: side by side in up to four lines, else
 * upright, in a smaller font and in up to three lines.
 *
 * @param names The names.
 * @param room Width of a slot and height for names, points; how wide a text is.
 * @returns Lines, font size and direction. If nothing fits, the smallest font in one line.
 *
 * @example
 * ```ts
 * import { fitNames } from "./fit_names.ts";
 *
 * const measure = (text: string, size: number) => 0.6 * size * text.length;
 * const names = ["baseline", "recent_only_256"];
 * console.log(fitNames(names, { slot: 80, height: 100, measure }));
 * // { lines: [ [ "baseline" ], [ "recent_", "only_256" ] ], size: 15, upright: false }
 * console.log(fitNames(names, { slot: 20, height: 130, measure }).upright); // true
 * ```
 */
export function fitNames(
  names: readonly string[],
  { slot, height, measure }: { slot: number; height: number; measure: MeasureText },
): FittedNames {
  // Charts need their height: names take all of theirs only if they would be small otherwise.
  for (const [share, least] of [[0.7, 10], [1, 0]] as const) {
    for (const { size, upright, lines } of TRIES) {
      if (size < least) continue;
      // Level names run along the slot, upright ones across it.
      const [along, across] = upright ? [share * height, slot - GAP.upright] : [slot - GAP.level, share * height];
      const wrapped = names.map((name) => wrap(name, (text) => measure(text, size) <= along));
      const most = Math.max(1, ...wrapped.map((parts) => parts?.length ?? Infinity));
      if (most <= lines && most * size * LINE_HEIGHT <= across) {
        return { lines: wrapped.map((parts) => parts!), size, upright };
      }
    }
  }
  return { lines: names.map((name) => [name]), size: SMALLEST, upright: true };
}

/** Breaks a name into the fewest lines that fit; undefined if a part of it is too long. */
function wrap(name: string, fits: (text: string) => boolean): string[] | undefined {
  const lines: string[] = [];
  for (const part of name.split(BREAKS)) {
    const last = lines.at(-1);
    if (last !== undefined && fits(last + part)) lines[lines.length - 1] = last + part;
    else if (fits(part)) lines.push(part);
    else return undefined;
  }
  return lines;
}

/**
 * Returns the height that fitted names take.
 *
 * @param names From {@linkcode fitNames}.
 * @param measure As given there.
 * @returns Points.
 *
 * @example
 * ```ts
 * import { heightOf } from "./fit_names.ts";
 *
 * const names = { lines: [["baseline"], ["recent_", "only_256"]], size: 10, upright: false };
 * console.log(heightOf(names, (text, size) => 0.6 * size * text.length)); // 23
 * ```
 */
export function heightOf({ lines, size, upright }: FittedNames, measure: MeasureText): number {
  if (!upright) return Math.max(0, ...lines.map((parts) => parts.length)) * size * LINE_HEIGHT;
  return Math.max(0, ...lines.flat().map((line) => measure(line, size)));
}
