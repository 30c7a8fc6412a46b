import type { PageContent } from "../collect.ts";
import { type Html, markup } from "../escape.ts";
import { cellsSection } from "./cells_section.ts";
import { failuresSection, needlesSection } from "./other_sections.ts";
import { termsList } from "./terms_list.ts";

/**
 * Writes the page's text: everything between the tags of `<body>` but for its scripts. What needs scripts is hidden.
 *
 * @example
 * ```ts
 * import type { PageContent } from "../collect.ts";
 * import { pageText } from "./page_text.ts";
 *
 * const length = (content: PageContent) => pageText(content).text.length;
 * ```
 */
export function pageText(content: PageContent): Html {
  const { rows, data, failures, needles, terms, runs } = content;
  const times = [...rows.map(({ cell }) => cell.time), ...failures.map(({ time }) => time)].sort();
  const days = [...new Set([times.at(0), times.at(-1)].map((time) => time?.slice(0, 10) ?? ""))].join(" to ");
  const models = [...new Set(rows.map(({ model }) => model))];
  const sections = [
    ["frontier", "Frontier"],
    ["cells", "All figures"],
    ...needles.length > 0 ? [["needles", "Needles"]] : [],
    ["history", "History"],
    ...failures.length > 0 ? [["failures", "Not measured"]] : [],
    ["terms", "Terms"],
  ];
  return markup`<header>
<h1>What KV-cache compression costs and gains</h1>
<p>${plural(rows.length, "row")} from ${plural(runs, "run")}, ${days}: ${listed(models)}.</p>
<nav aria-label="Sections"><ul>
${sections.map(([id, title]) => markup`<li><a href="#${id}">${title}</a></li>\n`)}</ul></nav>
<noscript><p>Pictures, sorting and filters need JavaScript. The table, the terms and all else do not.</p></noscript>
<div id="group-controls" class="controls" data-scripted>
<label for="group">Pictures show runs that share <select id="group"></select></label>
</div>
<p id="group-terms" class="muted" data-scripted></p>
</header>
<main>
${FRONTIER}
${cellsSection(rows, data)}
${needlesSection(needles, data.groups)}${HISTORY}
${failuresSection(failures)}<section id="terms">
<h2>Terms</h2>
<p>Everything that figures depend on and that is the same for all rows of a run: machine, versions, commit, hashes.</p>
${termsList(terms)}</section>
</main>`;
}

const FRONTIER = markup`<section id="frontier" data-scripted>
<h2>Frontier of quality over memory and over speed</h2>
<p id="frontier-none" hidden>No configuration of these runs has quality and bytes or times.</p>
<div id="frontier-shown">
<p>Left and below is better. No other configuration is as good as a ringed one in both figures. The newest run of each
configuration is shown. Lines through points are 95 % intervals: those of perplexity and TPOT are the baseline’s times
the paired ratio, so that what both share does not make them longer. Times with an exclamation mark are to be
doubted.</p>
<div class="controls"><label for="quality">Quality <select id="quality">
<option value="kl">KL divergence from the full cache</option><option value="ppl">perplexity</option>
</select></label></div>
<ul id="frontier-legend" class="legend" aria-label="Lines of both pictures"></ul>
<div class="charts">
<figure><figcaption>Over the bytes of keys and values held</figcaption>
<div class="chart"><canvas id="frontier-cache" role="img"></canvas></div></figure>
<figure><figcaption>Over the time per output token</figcaption>
<div class="chart"><canvas id="frontier-tpot" role="img"></canvas></div></figure>
</div>
</div>
</section>`;

const HISTORY = markup`<section id="history" data-scripted>
<h2>History</h2>
<p id="history-none">No configuration of these runs was measured more than once.</p>
<div id="history-shown">
<p>Each line is a configuration under the same terms, the code excepted. Dashed lines are where the commit changed.</p>
<div class="controls"><label for="metric">Figure <select id="metric"></select></label></div>
<ul id="history-legend" class="legend" aria-label="Lines of the history"></ul>
<figure><div class="chart"><canvas id="history-chart" role="img"></canvas></div></figure>
<details class="unprinted"><summary>The figures of this picture</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Figures of the history">
<table id="history-table"><caption class="unseen" id="history-caption"></caption>
<thead><tr>${
  ["Configuration", "Run", "Figure", "Commit", "Machine", "Marks", "Terms"].map((title) =>
    markup`<th scope="col">${title}</th>`
  )
}</tr></thead>
<tbody></tbody></table></div></details>
</div>
</section>`;

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Lists names, at most eight. */
function listed(names: readonly string[]): string {
  const most = 8;
  return names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");
}
