import { heatColor } from "../../../report/charts/palette.ts";
import type { PageContent, PageNeedles } from "../collect.ts";
import { type Html, markup } from "../escape.ts";

/** Steps of a heatmap's colours, from no answer right to all. */
const STEPS = 10;

/**
 * Writes a heatmap for each configuration that looked for needles: a table, depth by length, whose cells are coloured.
 *
 * @param needles What was found.
 * @param groups Labels of the page's groups.
 * @returns Empty if there are none.
 *
 * @example
 * ```ts
 * import { needleTables } from "./needle_tables.ts";
 *
 * console.log(needleTables([], []).text === ""); // true
 * ```
 */
export function needleTables(needles: readonly PageNeedles[], groups: PageContent["data"]["groups"]): Html {
  return markup`${needles.map((one) => heatmap(one, groups[one.group]!.label))}`;
}

function heatmap({ name, group, cells, time, terms }: PageNeedles, label: string): Html {
  const lengths = [...new Set(cells.map(({ tokens }) => tokens))].sort((a, b) => a - b);
  const depths = [...new Set(cells.map(({ depth }) => depth))].sort((a, b) => a - b);
  const known = new Map(cells.map((cell) => [`${cell.depth} ${cell.tokens}`, cell]));
  const cellAt = (depth: number, tokens: number) => {
    const cell = known.get(`${depth} ${tokens}`);
    if (cell === undefined) return markup`<td></td>`;
    const step = Math.round(Math.min(1, Math.max(0, cell.score)) * STEPS);
    const count = cell.n === undefined ? undefined : markup`<small>of ${cell.n}</small>`;
    return markup`<td class="h${step}">${percent(cell.score)}${count}</td>`;
  };
  const heads = lengths.map((tokens) => markup`<th scope="col">${tokens.toLocaleString("en-US")}</th>`);
  const rows = depths.map((depth) =>
    markup`<tr><th scope="row">${percent(depth)}</th>${lengths.map((tokens) => cellAt(depth, tokens))}</tr>\n`
  );
  const link = markup`<a href="#t${terms + 1}">T${terms + 1}</a>`;
  return markup`<div class="needle" data-group="${group}" tabindex="0" role="region" aria-label="Needles of ${name}">
<table class="heat"><caption>${name} <small>${label}, ${time.slice(0, 10)}, ${link}</small></caption>
<thead><tr><th scope="col">Depth</th>${heads}</tr></thead>
<tbody>
${rows}</tbody></table></div>
`;
}

const percent = (share: number) => `${Number((100 * share).toFixed(0))} %`;

/**
 * Returns the rules of style of the heatmaps' colours, each with black or white text, whichever is better to read.
 *
 * @example
 * ```ts
 * import { heatRules } from "./needle_tables.ts";
 *
 * console.log(heatRules().split("\n").length); // 11
 * ```
 */
export function heatRules(): string {
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    // The palette takes the root of shares that are mostly small; scores are not.
    const color = heatColor((step / STEPS) ** 2);
    return `.heat .h${step}{background:${color};color:${luminance(color) > 0.179 ? "#000" : "#fff"}}`;
  }).join("\n");
}

/** Relative luminance of #rrggbb, by WCAG 2. Black text is better to read from 0.179 on. */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
