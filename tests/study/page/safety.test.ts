/** Text from results is text: it never becomes part of the page's code. */
import { deepEqual, doesNotMatch, equal, match, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { collectPage } from "../../../lib/study/page/collect.ts";
import { escapeHtml, markup, scriptCode, scriptJson } from "../../../lib/study/page/escape.ts";
import { makePage } from "../../../lib/study/page/make_page.ts";
import { inventNeedles, inventRun } from "./_invent_runs.ts";

Deno.test("escaped text has no sign that HTML reads, and is the same text", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."<>&\"'ab;#39\u2028") }), (text) => {
    const escaped = escapeHtml(text);
    doesNotMatch(escaped, /[<>"']/);
    const back = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" } as Record<string, string>;
    equal(escaped.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => back[entity]!), text);
    equal(markup`<b>${text}</b>`.text, `<b>${escaped}</b>`);
    const json = scriptJson({ text });
    doesNotMatch(json, /[<\u2028\u2029]/);
    deepEqual(JSON.parse(json), { text });
  }));
});

Deno.test("code that would end its script is refused", () => {
  throws(() => scriptCode('a = "</SCRIPT>"', "mine"), /Cannot put mine into a page: it has <\/SCRIPT at character 5/);
  throws(() => scriptCode("// <!-- x", "mine"), /it has <!--/);
  equal(scriptCode("a < b / script", "mine"), "a < b / script");
});

const HOSTILE = `</script><img src=x onerror="hacked()">'&\u202e<!--`;

Deno.test("no string of results.json gets into the page as HTML", async () => {
  const found = inventRun({
    methods: ["h2o"],
    needles: inventNeedles("h2o_25%"),
    marks: { "h2o_25%": ["shared"] },
  });
  found.results.failures.push({ method: "gone", reason: "why", log: "", code: 1 });
  found.results.configurations.push({
    name: "gone",
    method: "gone",
    params: {},
    positions: "absolute",
    attention: "fused",
    status: "failed",
  });
  // Every string but those of a few words, keys of objects too.
  const words = new Set([
    "fused",
    "explicit",
    "cuda",
    "cpu",
    "done",
    "failed",
    "not run",
    "shared",
    "wilcoxon",
    "both",
  ]);
  const hostile = JSON.parse(JSON.stringify(found.results), function (_key, value) {
    if (typeof value === "string") return words.has(value) ? value : value + HOSTILE;
    return value;
  });
  const renamed = (record: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name + HOSTILE, value]));
  for (const field of ["aggregated_stats", "comparisons", "divergence"]) hostile[field] = renamed(hostile[field]);
  for (const record of hostile.configurations) record.params = renamed(record.params);
  hostile.environment.model_sha256 = renamed(hostile.environment.model_sha256);
  hostile.environment.gpu.driver += HOSTILE;
  const content = await collectPage([{ file: `/r/${HOSTILE.replaceAll("/", "")}/results.json`, results: hostile }]);
  equal(content.rows.length, 4);
  const page = await makePage(content);
  const told = page.split("hacked()").length - 1;
  ok(told > 20, `${told}`);
  equal(/.{40}(?:<img|\u202e).{40}/.exec(page)?.[0], undefined);
  equal(page.match(/<\/script>/g)!.length, 4);
  match(page, /h2o_10%&lt;\/script&gt;&lt;img src=x onerror=&quot;hacked\(\)&quot;&gt;&#39;&amp;\\u202e&lt;!--/);
});

Deno.test("the page's policy lets its own scripts run, and nothing be fetched", async () => {
  const page = await makePage(await collectPage([inventRun()]));
  match(
    page,
    /Content-Security-Policy" content="default-src 'none'; script-src (?:'sha256-\S+' ?){3}; style-src 'sha256-/,
  );
  // Nothing is named that could be fetched, Chart.js' own notes excepted.
  const [, ours = ""] = /<body>([^]*?)<script>/.exec(page) ?? [];
  doesNotMatch(ours, /\b(?:src|srcset|style|on\w+)=|https?:/);
  doesNotMatch(page, /sourceMappingURL=chart/);
});
