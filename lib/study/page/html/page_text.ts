import type { PageContent } from "../collect.ts";
import { type Html, html } from "../escape.ts";
import { cellColumns, cellsTable } from "./cells_table.ts";
import { needleTables } from "./needle_tables.ts";
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
  const columns = cellColumns(rows);
  const times = [...rows, ...failures].map((row) => "cell" in row ? row.cell.time : row.time).sort();
  const days = [...new Set([times.at(0), times.at(-1)].map((time) => time?.slice(0, 10) ?? ""))].join(" to ");
  const models = [...new Set(rows.map(({ model }) => model))];
  return html`
    <header>
      <h1>What KV-cache compression costs and gains</h1>
      <p>${plural(rows.length, "row")} from ${plural(runs, "run")}, ${days}: ${listed(models)}.</p>
      <nav aria-label="Sections">
        <ul>
    <li><a href="#frontier">Frontier</a></li>
    <li><a href="#cells">All figures</a></li>${needles.length > 0
      ? html`\n<li><a href="#needles">Needles</a></li>`
      : undefined}
    <li><a href="#history">History</a></li>${failures.length > 0
      ? html`\n<li><a href="#failures">Not measured</a></li>`
      : undefined}
    <li><a href="#terms">Terms</a></li>
        </ul>
      </nav>
      <noscript><p>Pictures, sorting and filters need JavaScript. The table, the terms and everything else do not.</p></noscript>
      <div id="group-controls" class="controls" data-scripted hidden>
        <label for="group">Pictures show runs that share <select id="group"></select></label>
      </div>
      <p id="group-terms" class="muted" data-scripted hidden></p>
    </header>
    <main>
    <section id="frontier" data-scripted hidden>
    <h2>Frontier of quality over memory and over speed</h2>
    <p>Left and below is better. No other configuration is as good as a ringed one in both figures. The newest run of each
    configuration is shown. Lines through points are 95 % intervals: those of perplexity and TPOT are the baseline’s times
    the paired ratio, so that what both share does not make them longer. Times with an exclamation mark are to be
    doubted.</p>
    <div class="controls"><label for="quality">Quality <select id="quality"><option value="kl">KL divergence from the full cache</option><option value="ppl">perplexity</option></select></label></div>
    <ul id="frontier-legend" class="legend" aria-label="Lines of both pictures"></ul>
    <div class="charts">
    <figure><figcaption>Over the bytes of keys and values held</figcaption><div class="chart"><canvas id="frontier-cache" role="img"></canvas></div></figure>
    <figure><figcaption>Over the time per output token</figcaption><div class="chart"><canvas id="frontier-tpot" role="img"></canvas></div></figure>
    </div>
    </section>
    <section id="cells">
    <h2>All figures</h2>
    <p>Means over samples. The small print is the change against the baseline of the same run, with its 95 % interval in
    brackets, or ± a standard deviation over texts; for KL the interval itself. A name opens to what the configuration is and
    what was seen. T1, T2, … are the <a href="#terms">terms</a>.</p>
    ${marksNote(rows)}${columns.common.length > 0
      ? html`<p>In all rows: ${
        columns.common.map(({ title, value }) => `${title.toLowerCase()} ${value}`).join(", ")
      }.</p>\n`
      : undefined}<form id="cells-controls" class="controls" data-scripted hidden>
    <label for="cells-search">Find <input id="cells-search" type="search" autocomplete="off" placeholder="words of a row"></label>
    <label for="cells-group" id="cells-group-label">Runs <select id="cells-group"><option value="">all</option></select></label>
    <label for="cells-sort">Sort by <select id="cells-sort"></select></label>
    <button type="button" id="cells-direction">Smallest first</button>
    <label class="tick"><input type="checkbox" id="cells-newest">newest run of each only</label>
    <label class="tick"><input type="checkbox" id="cells-steady">without doubtful times</label>
    <output id="cells-count" for="cells-search cells-group cells-newest cells-steady"></output>
    </form>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of all figures">
    ${cellsTable(rows, columns)}
    </div>
    </section>
    ${needlesSection(needles, data.groups)}<section id="history" data-scripted hidden>
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
    <thead><tr><th scope="col">Configuration</th><th scope="col">Run</th><th scope="col">Figure</th><th scope="col">Commit</th><th scope="col">Machine</th><th scope="col">Marks</th><th scope="col">Terms</th></tr></thead>
    <tbody></tbody></table></div></details>
    </div>
    </section>
    ${failuresSection(failures)}<section id="terms">
    <h2>Terms</h2>
    <p>Everything that figures depend on and that is the same for all rows of a run: machine, versions, commit, hashes.</p>
    ${termsList(terms)}</section>
    </main>
  `;
}

const MARKS = {
  throttled: "the GPU lowered its clocks by itself",
  shared: "other processes used the machine",
  unsteady: "steps or rounds differ among themselves",
} as const;

function marksNote(rows: PageContent["rows"]): Html | undefined {
  const used = (Object.keys(MARKS) as (keyof typeof MARKS)[]).filter((mark) =>
    rows.some(({ cell }) => cell.marks.includes(mark))
  );
  if (used.length === 0) return undefined;
  return html`<p>Times are to be doubted in rows marked ${
    used.map((mark, place) => html`${place > 0 ? ", " : ""}<span class="mark">${mark}</span> (${MARKS[mark]})`)
  }.</p>\n`;
}

function needlesSection(needles: PageContent["needles"], groups: PageContent["data"]["groups"]): Html | undefined {
  if (needles.length === 0) return undefined;
  return html`
    <section id="needles">
      <h2>Needles</h2>
      <p>Share of right answers, by length of the text in tokens and depth of the needle in it.</p>
      <div id="needle-tables">${needleTables(needles, groups)}</div>
    </section>
  `;
}

function failuresSection(failures: PageContent["failures"]): Html | undefined {
  if (failures.length === 0) return undefined;
  return html`
    <section id="failures">
      <h2>Not measured</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Configurations without figures">
        <table>
          <thead>
            <tr>
              <th scope="col">Configuration</th>
              <th scope="col">Reason</th>
              <th scope="col">Run</th>
            </tr>
          </thead>
          <tbody>
    ${failures.map(({ name, reason, time, terms, file }) =>
      html`
        <tr>
          <th scope="row">${name}</th>
          <td class="wrap">${reason}</td>
          <td>${time.slice(0, 16)} <a href="#t${terms + 1}">T${terms + 1}</a><small>${file}</small></td>
        </tr>\\n
      `
    )}</tbody>
        </table>
      </div>
    </section>
  `;
}

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Lists names, at most eight. */
function listed(names: readonly string[]): string {
  const most = 8;
  return names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");
}
