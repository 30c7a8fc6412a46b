import { wrap } from "./wrap.ts";

/** Blanks between columns: as many as fit. */
const GAPS = [2, 1];
/** Blanks before the figures of a name that has a line of its own. */
const STACKED = 2;

/** A column of a {@linkcode Grid}. */
export interface GridColumn {
  title: string;
  /** Columns of the same number stay together if the grid is broken into several blocks. */
  group: number;
}

/** A row of a {@linkcode Grid}. */
export interface GridRow {
  name: string;
  /** One for each column; or a sentence in place of all. */
  cells: readonly string[] | string;
}

/** A table whose width follows from its cells. */
export interface Grid {
  /** Title of the names. */
  title: string;
  columns: readonly GridColumn[];
  rows: readonly GridRow[];
  /** Whether the titles are underlined, and the end is marked. */
  ruled: boolean;
}

/**
 * Formats a table so that it fits a width, and cuts nothing. If it is too wide, its columns go into several blocks, one
 * below another. If a name and one column are too wide, a row's name has a line of its own.
 *
 * @param grid What to show.
 * @param width Characters of a line; no limit if left out.
 * @returns The lines joined by "\n", without one at the end. A single figure that is wider than `width` stays whole.
 *
 * @example
 * ```ts
 * import { formatGrid } from "./grid.ts";
 *
 * console.log(formatGrid({
 *   title: "Method",
 *   columns: [{ title: "KL", group: 0 }, { title: "Share %", group: 1 }],
 *   rows: [{ name: "streaming_256", cells: ["0.0012", "40.0"] }],
 *   ruled: false,
 * }, 80));
 * // Method             KL  Share %
 * // streaming_256  0.0012     40.0
 * ```
 */
export function formatGrid(grid: Grid, width = Infinity): string {
  const { title, columns, rows } = grid;
  const widths = columns.map(({ title }, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => typeof cells === "string" ? 0 : cells[column]!.length))
  );
  const longest = Math.max(title.length, ...rows.map(({ name }) => name.length));
  const widest = Math.max(...widths);
  const isStacked = longest + Math.min(...GAPS) + widest > width;
  const first = isStacked ? STACKED : longest;
  const room = width - first;
  const gaps = GAPS.filter((gap) => gap === Math.min(...GAPS) || gap + widest <= room);
  // Fewer blocks are better; of as many, the wider gap.
  const [best] = gaps.map((gap) => ({ gap, blocks: pack(columns, widths, gap, room) }))
    .toSorted((a, b) => a.blocks.length - b.blocks.length);
  const { gap, blocks } = best!;
  return blocks.map((block, index) => {
    const line = (name: string, cells: readonly string[]) => {
      const figures = block.map((column) => cells[column]!.padStart(widths[column]! + gap)).join("");
      return isStacked ? `${name}\n${" ".repeat(STACKED)}${figures}` : name.padEnd(longest) + figures;
    };
    const lineWidth = Math.max(first + block.reduce((sum, column) => sum + widths[column]! + gap, 0), title.length);
    const rule = (sign: string) => grid.ruled ? [sign.repeat(lineWidth)] : [];
    const body = rows.flatMap(({ name, cells }) => {
      if (typeof cells !== "string") return [line(name, cells)];
      // A sentence stands once, in the first block.
      return index > 0 ? [] : [wrap(`${name.padEnd(isStacked ? 0 : longest)}  ${cells}`, width, STACKED)];
    });
    const head = line(title, columns.map(({ title }) => title));
    return [head, ...rule("-"), ...body, ...rule("=")].map((line) => line.trimEnd()).join("\n");
  }).join("\n\n");
}

/** Shares columns out to blocks, each as wide as the room allows. */
function pack(columns: readonly GridColumn[], widths: readonly number[], gap: number, room: number): number[][] {
  const blocks: number[][] = [];
  let left = -1;
  const add = (indices: readonly number[]) => {
    const needed = indices.reduce((sum, column) => sum + widths[column]! + gap, 0);
    if (needed > room && indices.length > 1) {
      for (const column of indices) add([column]);
      return;
    }
    if (needed > left) {
      blocks.push([]);
      left = room;
    }
    blocks.at(-1)!.push(...indices);
    left -= needed;
  };
  for (const group of Map.groupBy(columns.keys(), (column) => columns[column]!.group).values()) add(group);
  return blocks;
}
