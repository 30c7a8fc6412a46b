import type { Context, Surface } from "./canvas.ts";
import { heldShare } from "./held_share.ts";
import { heatColor, INK } from "./palette.ts";
import type { Run } from "../results/trace_types.ts";

/** A layer of a map: stretches of one colour, from left to right; `to` is the first column of the next. */
export type HeatRow = { from: number; to: number; color: string }[];

/**
 * Computes a layer of a map. Neighbours of one colour form one stretch: a full layer is one, not a thousand.
 *
 * @param heads The layer's runs, `[head][run]`; empty if the layer holds everything.
 * @param tokens Tokens read so far.
 * @param positions Positions per column.
 * @returns Its stretches.
 *
 * @example
 * ```ts
 * import { heatRow } from "./heat_rows.ts";
 *
 * console.log(heatRow([[[0, 2]]], 6, 1).map(({ from, to }) => [from, to])); // [ [ 0, 2 ], [ 2, 6 ] ]
 * ```
 */
export function heatRow(heads: readonly (readonly Run[])[], tokens: number, positions: number): HeatRow {
  const shares = heldShare(heads, tokens, positions);
  const row: HeatRow = [];
  for (let from = 0, to = 1; from < shares.length; from = to++) {
    while (to < shares.length && shares[to] === shares[from]) to++;
    row.push({ from, to, color: heatColor(shares[from]!) });
  }
  return row;
}

/** Where a map is, points: `column` and `row` are the sizes of a cell, `read` is the width of the text read. */
export interface HeatPlace {
  x: number;
  y: number;
  column: number;
  read: number;
  row: number;
  /** Between layers. */
  gap: number;
}

/**
 * Draws a map.
 *
 * @param context Its unit is the point.
 * @param snap Rounds a place to whole pixels.
 * @param rows From {@linkcode heatRow}, from top to bottom.
 * @param place Where it is.
 * @param makeBitmap Makes a bitmap of some pixels: the map is then one, a pixel for each cell. If left out, it is drawn
 * as rectangles.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { drawHeatRows, heatRow } from "./heat_rows.ts";
 *
 * const context = (await loadCanvas()).createCanvas(120, 20).getContext("2d");
 * const place = { x: 0, y: 0, column: 20, read: 120, row: 20, gap: 0 };
 * drawHeatRows(context, Math.round, [heatRow([], 6, 1)], place);
 * ```
 */
export function drawHeatRows(
  context: Context,
  snap: (points: number) => number,
  rows: readonly HeatRow[],
  { x, y, column, read, row, gap }: HeatPlace,
  makeBitmap?: (width: number, height: number) => Surface,
): void {
  if (makeBitmap === undefined) {
    rows.forEach((stretches, layer) => {
      const top = snap(y + layer * row);
      const height = snap(y + (layer + 1) * row - gap) - top;
      for (const { from, to, color } of stretches) {
        const left = snap(x + from * column);
        context.fillStyle = color;
        context.fillRect(left, top, snap(x + Math.min(read, to * column)) - left, height);
      }
    });
    return;
  }
  const columns = Math.max(0, ...rows.map((stretches) => stretches.at(-1)?.to ?? 0));
  if (columns === 0) return;
  const bitmap = makeBitmap(columns, rows.length);
  const pixels = bitmap.getContext("2d");
  rows.forEach((stretches, layer) => {
    for (const { from, to, color } of stretches) {
      pixels.fillStyle = color;
      pixels.fillRect(from, layer, to - from, 1);
    }
  });
  context.save();
  context.imageSmoothingEnabled = false;
  // Its last column may be of fewer positions: what is beyond the text read is covered again.
  context.drawImage(bitmap as never, x, y, columns * column, rows.length * row);
  context.fillStyle = INK.background;
  if (columns * column > read) context.fillRect(x + read, y, columns * column - read, rows.length * row);
  if (gap > 0) rows.forEach((_, layer) => context.fillRect(x, y + (layer + 1) * row - gap, columns * column, gap));
  context.restore();
}
