import type { PageContent } from "../collect.ts";
import { type Html, markup } from "../escape.ts";
import { needleTables } from "./needle_tables.ts";

/**
 * Writes the section of needles.
 *
 * @returns Empty if results have none.
 *
 * @example
 * ```ts
 * import { needlesSection } from "./other_sections.ts";
 *
 * console.log(needlesSection([], []).text === ""); // true
 * ```
 */
export function needlesSection(needles: PageContent["needles"], groups: PageContent["data"]["groups"]): Html {
  if (needles.length === 0) return markup``;
  return markup`<section id="needles">
<h2>Needles</h2>
<p>Share of right answers, by length of the text in tokens and depth of the needle in it.</p>
<p id="needles-none" hidden>None were looked for in the runs that the pictures show.</p>
<div id="needle-tables">
${needleTables(needles, groups)}</div>
</section>
`;
}

/**
 * Writes the section of configurations that have no figures.
 *
 * @returns Empty if there are none.
 *
 * @example
 * ```ts
 * import { failuresSection } from "./other_sections.ts";
 *
 * console.log(failuresSection([]).text === ""); // true
 * ```
 */
export function failuresSection(failures: PageContent["failures"]): Html {
  if (failures.length === 0) return markup``;
  const rows = failures.map(({ name, reason, time, terms, file }) => {
    const link = markup`<a href="#t${terms + 1}">T${terms + 1}</a>`;
    const run = markup`<td>${time.slice(0, 16)} ${link}<small>${file}</small></td>`;
    return markup`<tr><th scope="row">${name}</th><td class="wrap">${reason}</td>${run}</tr>\n`;
  });
  return markup`<section id="failures">
<h2>Not measured</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Configurations without figures">
<table><thead><tr><th scope="col">Configuration</th><th scope="col">Reason</th><th scope="col">Run</th></tr></thead>
<tbody>
${rows}</tbody></table></div>
</section>
`;
}
