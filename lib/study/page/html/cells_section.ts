import type { Mark } from "../../../report/results/spread_types.ts";
import type { PageContent, PageRow } from "../collect.ts";
import { type Html, markup } from "../escape.ts";
import { cellColumns, cellsTable } from "./cells_table.ts";

/** What each mark says, as in docs/metrics.md. */
const MARKS: Readonly<Record<Mark, string>> = {
  throttled: "the GPU lowered its clocks by itself",
  shared: "other processes used the machine",
  unsteady: "steps or rounds differ among themselves",
};

/**
 * Writes the section of the table: what its figures are, the controls, the table.
 *
 * @example
 * ```ts
 * import { cellsSection } from "./cells_section.ts";
 *
 * console.log(cellsSection([], { groups: [] }).text.includes("<table")); // true
 * ```
 */
export function cellsSection(rows: readonly PageRow[], { groups }: Pick<PageContent["data"], "groups">): Html {
  const columns = cellColumns(rows);
  const common = columns.common.map(({ title, value }) => `${title.toLowerCase()} ${value}`).join(", ");
  return markup`<section id="cells">
<h2>All figures</h2>
<p>Means over samples. The small print is the change against the baseline of the same run, with its 95 % interval in
brackets, or ± a standard deviation over texts; for KL the interval itself. A name opens to what the configuration is and
what was seen. T1, T2, … are the <a href="#terms">terms</a>.</p>
${marksNote(rows)}${common === "" ? undefined : markup`<p>In all rows: ${common}.</p>\n`}
<form id="cells-controls" class="controls" data-scripted>
<label for="cells-search">Find
<input id="cells-search" type="search" autocomplete="off" placeholder="words of a row"></label>
<label for="cells-group" id="cells-group-label">Runs <select id="cells-group"><option value="">all</option>
${groups.map(({ label }, index) => markup`<option value="${index}">${label}</option>\n`)}</select></label>
<label for="cells-sort">Sort by <select id="cells-sort"></select></label>
<button type="button" id="cells-direction">Smallest first</button>
<label class="tick"><input type="checkbox" id="cells-newest">newest run of each only</label>
<label class="tick"><input type="checkbox" id="cells-steady">without doubtful times</label>
<output id="cells-count" for="cells-search cells-group cells-newest cells-steady"></output>
<button type="button" id="cells-more" hidden>Show all</button>
</form>
<div class="scroll" tabindex="0" role="region" aria-label="Table of all figures">
${cellsTable(rows, columns)}
</div>
</section>`;
}

function marksNote(rows: readonly PageRow[]): Html | undefined {
  const used = (Object.keys(MARKS) as Mark[]).filter((mark) => rows.some(({ cell }) => cell.marks.includes(mark)));
  if (used.length === 0) return undefined;
  const told = used.map((mark, place) =>
    markup`${place > 0 ? ", " : ""}<span class="mark">${mark}</span> (${MARKS[mark]})`
  );
  return markup`<p>Times are to be doubted in rows marked ${told}.</p>\n`;
}
