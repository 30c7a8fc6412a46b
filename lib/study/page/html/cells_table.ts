import { type FigureName, figureOf, FIGURES } from "../figures.ts";
import type { PageRow } from "../collect.ts";
import { type Html, markup } from "../escape.ts";

/** A column after the first: of text, or of a figure. */
export interface Column {
  /** Its name in `data-key`: a figure's name, or another. */
  key: string;
  title: string;
  unit?: string;
  /** Its value, for columns that are left out where all rows have the same. */
  value?: (row: PageRow) => string;
  cell: (row: PageRow) => Html;
  /** Whether it is a number. */
  numeric: boolean;
}

const text = (key: string, title: string, value: (row: PageRow) => string, numeric = false): Column => ({
  key,
  title,
  value,
  numeric,
  cell: (row) => markup`<td${numeric ? NUMERIC : undefined}>${value(row)}</td>`,
});

const NUMERIC = markup` class="n"`;

/** Columns of text that are left out where all rows agree, but for the first two. */
const TEXTS: readonly Column[] = [
  text("method", "Method", ({ method }) => method),
  text("budget", "Budget", ({ budget, cell }) => budget || cell.size, true),
  text("model", "Model", ({ model }) => model),
  text("machine", "Machine", ({ machine }) => machine),
  text("dtype", "Type", ({ dtype }) => dtype),
  text("positions", "Positions", ({ positions }) => positions),
  text("prompt", "Prompt", ({ lengths: [prompt] }) => String(prompt), true),
  text("generated", "Generated", ({ lengths: [, generated] }) => String(generated), true),
  text("read", "Read", ({ lengths: [, , read] }) => String(read), true),
];

/** Always there. */
const ALWAYS = new Set(["method", "budget"]);

const COLUMNS: readonly Column[] = [
  ...TEXTS,
  ...(Object.keys(FIGURES) as FigureName[]).map((name): Column => ({
    key: name,
    title: figureOf(name).title,
    unit: figureOf(name).unit,
    numeric: true,
    cell: (row) => figureCell(row, name),
  })),
  {
    key: "time",
    title: "Run",
    numeric: false,
    cell: ({ cell: { time, commit, terms } }) =>
      markup`<td>${time.slice(0, 16)}<small>${commit || "no commit"} ${termsLink(terms)}</small></td>`,
  },
];

/** A link to the terms of this index. */
function termsLink(terms: number): Html {
  return markup`<a href="#t${terms + 1}">T${terms + 1}</a>`;
}

const isFigure = (key: string): key is FigureName => Object.hasOwn(FIGURES, key);

/** Whether a row has the figure. */
const has = (rows: readonly PageRow[], name: FigureName) =>
  rows.some(({ cell, changeTexts }) => cell.figures[name] !== undefined || changeTexts[name] !== undefined);

/** The table's columns after the first, and what all rows have in common instead of a column. */
export interface CellColumns {
  columns: readonly Column[];
  common: readonly { title: string; value: string }[];
}

/**
 * Chooses the columns for some rows. Where all rows agree in a text, it is said once.
 *
 * @param rows Rows of the page.
 *
 * @example
 * ```ts
 * import { cellColumns } from "./cells_table.ts";
 *
 * console.log(cellColumns([]).columns[0]?.title); // Method
 * ```
 */
export function cellColumns(rows: readonly PageRow[]): CellColumns {
  const shared = TEXTS.filter(({ key, value }) => !ALWAYS.has(key) && new Set(rows.map(value!)).size === 1);
  return {
    columns: COLUMNS.filter((column) => !shared.includes(column) && (!isFigure(column.key) || has(rows, column.key))),
    common: shared.map(({ title, value }) => ({ title, value: value!(rows[0]!) })),
  };
}

/**
 * Writes the table of all rows.
 *
 * @example
 * ```ts
 * import { cellColumns, cellsTable } from "./cells_table.ts";
 *
 * console.log(cellsTable([], cellColumns([])).text.startsWith("<table")); // true
 * ```
 */
export function cellsTable(rows: readonly PageRow[], { columns }: CellColumns): Html {
  const headings = columns.map(({ key, title, unit, numeric }) => {
    const small = unit ? markup` <small>${unit}</small>` : undefined;
    return markup`<th scope="col" data-key="${key}"${numeric ? NUMERIC : undefined}>${title}${small}</th>`;
  });
  return markup`<table id="cells-table">
<caption class="unseen">All configurations; changes against the baseline of the same run, with intervals</caption>
<thead><tr><th scope="col" data-key="name">Configuration</th>${headings}</tr></thead>
<tbody>
${rows.map((row) => markup`<tr>${nameCell(row)}${columns.map(({ cell }) => cell(row))}</tr>\n`)}</tbody>
</table>`;
}

/**
 * Returns the rules of style by which each cell names its column where rows are cards, on narrow screens.
 *
 * @example
 * ```ts
 * import { cellColumns, cardLabels } from "./cells_table.ts";
 *
 * console.log(cardLabels(cellColumns([])).split("\n")[0]); // #cells-table td:nth-child(2)::before{content:"Method"}
 * ```
 */
export function cardLabels({ columns }: CellColumns): string {
  return columns.map(({ title, unit }, place) =>
    `#cells-table td:nth-child(${place + 2})::before{content:"${title}${unit ? ` (${unit})` : ""}"}`
  ).join("\n");
}

function nameCell({ cell, about, remarks, file, baseline }: PageRow): Html {
  const compared = Object.keys(cell.changes).length > 0 ? [`Compared with ${baseline}.`] : [];
  const machine = cell.host === "" ? [] : [`Machine: ${cell.host}.`];
  const told = [`${about.join(", ")}.`, ...compared, ...machine, `File: ${file}.`, ...remarks];
  const lines = told.map((line) => markup`<li>${line}</li>`);
  const marks = cell.marks.map((mark) => markup`<span class="mark">${mark}</span>`);
  return markup`<th scope="row"><details><summary>${cell.name}</summary><ul>${lines}</ul></details>${marks}</th>`;
}

function figureCell({ cell, changeTexts }: PageRow, name: FigureName): Html {
  const value = cell.figures[name];
  const { text } = figureOf(name);
  const [, low, high] = name === "kl" ? cell.spreads.kl ?? [] : [];
  const ends = low === undefined || high === undefined ? [] : [`[${text(low)}, ${text(high)}]`];
  // The change and its interval are one below the other.
  const below = [...changeTexts[name]?.split(/ (?=\[)/) ?? [], ...ends];
  if (value === undefined && below.length === 0) return markup`<td></td>`;
  const small = below.map((line) => markup`<small>${line}</small>`);
  return markup`<td class="n">${value === undefined ? "–" : text(value)}${small}</td>`;
}
