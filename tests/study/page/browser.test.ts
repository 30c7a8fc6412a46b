/// <reference lib="dom" />
/** The page in a real browser: what clicks and keys do, what it looks like, and that it is silent. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { collectPage } from "../../../lib/study/page/collect.ts";
import { makePage } from "../../../lib/study/page/make_page.ts";
import { METHOD_COLORS } from "../../../lib/report/charts/method_looks.ts";
import { tinted } from "../../../lib/report/charts/palette.ts";
import { CHROMIUM, hasBrowser, pixelsOf, poorTexts, TestBrowser } from "./_browser.ts";
import { inventNeedles, inventNights, inventRun, inventSweep, METHODS } from "./_invent_runs.ts";

/** A page with everything: 12 nights of a model, and a run of another with needles, marks and a failure. */
async function richPage(): Promise<string> {
  const other = inventRun({
    model: "example/model-3b",
    methods: METHODS,
    timestamp: "20250203_101112",
    commit: "eeeeeeeeee",
    marks: { "h2o_25%": ["shared", "unsteady"], "tova_25%": ["throttled"] },
    needles: inventNeedles("h2o_25%"),
  });
  other.results.configurations.push({
    name: "<img src=x onerror=alert(1)>",
    method: "tova",
    params: {},
    positions: "absolute",
    attention: "fused",
    status: "failed",
  });
  return await makePage(await collectPage([...inventNights(12), other]));
}

let started: Promise<TestBrowser> | undefined;

Deno.test.afterAll(async () => await (await started)?.[Symbol.asyncDispose]());

/** A test with a browser, the same for all; ignored where there is none. */
function inBrowser(name: string, test: (browser: TestBrowser) => Promise<void>): void {
  Deno.test({
    name: hasBrowser ? name : `${name} (needs ${CHROMIUM}: apt-get install chromium, or CHROMIUM=PATH)`,
    ignore: !hasBrowser,
    // The browser's client keeps timers and a process' end to itself.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      started ??= TestBrowser.start();
      const browser = await started;
      await test(browser);
      await browser.closePages();
    },
  });
}

/** Names of the rows shown, in their order. */
const shownNames = `[...document.querySelectorAll("#cells-table tbody tr")].filter((row) => !row.hidden)
  .map((row) => row.querySelector("summary").textContent)`;

inBrowser("the page is silent, fetches nothing, and draws its pictures in the methods' colours", async (browser) => {
  const html = await richPage();
  for (const colorScheme of ["light", "dark"] as const) {
    const { page, complaints } = await browser.open(html, { colorScheme });
    const colorOf = (color: string) => colorScheme === "dark" ? tinted(color, 0.4) : color;
    for (const id of ["frontier-cache", "frontier-tpot", "history-chart"]) {
      for (const color of [METHOD_COLORS.indigo, METHOD_COLORS.green, METHOD_COLORS.cyan]) {
        const pixels = await page.evaluate(pixelsOf, [id, colorOf(color)] as [string, string]);
        ok(pixels > 50, `${colorScheme} ${id} ${color}: ${pixels} pixels`);
      }
    }
    deepEqual(complaints, []);
    await page.close();
  }
});

inBrowser("nothing that can be chosen makes the page complain", async (browser) => {
  const { page, complaints } = await browser.open(await richPage());
  for (const select of await page.locator("select:visible:enabled").all()) {
    const values = await select.locator("option:enabled").evaluateAll((options) =>
      options.map((option) => (option as HTMLOptionElement).value)
    );
    for (const value of values) await select.selectOption(value);
  }
  for (const box of await page.locator("input[type=checkbox]:visible").all()) await box.click();
  deepEqual(complaints, []);
});

inBrowser("headings sort, by click and by key, and say so", async (browser) => {
  const { page, complaints } = await browser.open(await richPage());
  const column = () =>
    page.evaluate<number[]>(`[...document.querySelectorAll("#cells-table tbody tr")].filter((row) => !row.hidden)
      .map((row) => Number.parseFloat(row.cells[[...document.querySelectorAll("#cells-table th[scope=col]")]
      .findIndex((heading) => heading.dataset.key === "tpot")].textContent))`);
  const heading = page.locator("th[data-key=tpot]");
  const unsorted = await column();
  await heading.locator("button").click();
  const ascending = await column();
  deepEqual(ascending, unsorted.toSorted((a, b) => a - b));
  ok(ascending[0]! < ascending.at(-1)! && unsorted.join() !== ascending.join());
  equal(await heading.getAttribute("aria-sort"), "ascending");
  equal(await page.locator("#cells-sort").inputValue(), "tpot");
  await heading.locator("button").focus();
  await page.keyboard.press("Enter");
  deepEqual(await column(), ascending.toReversed());
  equal(await heading.getAttribute("aria-sort"), "descending");
  equal(await page.locator("#cells-direction").textContent(), "Largest first");
  // Another column, by the menu: its heading says so, the first one no longer does.
  await page.selectOption("#cells-sort", "name");
  equal(await heading.getAttribute("aria-sort"), null);
  equal(await page.locator("th[aria-sort]").getAttribute("data-key"), "name");
  const names = await page.evaluate<string[]>(shownNames);
  deepEqual(names, names.toSorted(new Intl.Collator("en", { numeric: true }).compare));
  // By a change, which has no column of its own.
  await page.selectOption("#cells-sort", "change:tpot");
  equal((await page.evaluate<string[]>(shownNames)).at(-1), "baseline");
  equal(await page.locator("th[aria-sort]").count(), 0);
  deepEqual(complaints, []);
});

inBrowser("filters leave what they say, and count it", async (browser) => {
  const { page } = await browser.open(await richPage());
  const count = async () => {
    const names = await page.evaluate<string[]>(shownNames);
    match(await page.locator("#cells-count").textContent() ?? "", new RegExp(`^${names.length} of 145 rows$`));
    return names;
  };
  // The newest night's 10 rows, and the other model's 25.
  equal((await count()).length, 35);
  await page.fill("#cells-search", "h2o 25%");
  deepEqual(await count(), ["h2o_25%", "h2o_25%"]);
  await page.selectOption("#cells-group", "1");
  deepEqual(await count(), ["h2o_25%"]);
  await page.check("#cells-steady");
  deepEqual(await count(), []);
  await page.uncheck("#cells-steady");
  await page.selectOption("#cells-group", "");
  await page.uncheck("#cells-newest");
  equal((await count()).length, 13);
  await page.fill("#cells-search", "throttled");
  deepEqual(await count(), ["tova_25%"]);
});

inBrowser("pictures follow the runs, the figure and the lines chosen", async (browser) => {
  const { page } = await browser.open(await richPage());
  const label = (id: string) => page.locator(`#${id}`).getAttribute("aria-label");
  match(await label("frontier-tpot") ?? "", /^Mean KL divergence \(nats\) over TPOT \(ms\), 10 configurations/);
  await page.selectOption("#quality", "ppl");
  match(await label("frontier-cache") ?? "", /^Perplexity over Bytes held \(MiB\), 10 configurations/);
  await page.locator("#frontier-legend input").nth(1).focus();
  await page.keyboard.press("Space");
  match(await label("frontier-cache") ?? "", /, 7 configurations/);
  match(await page.evaluate(`document.activeElement.type`), /checkbox/);
  match(await label("history-chart") ?? "", /^TPOT \(ms\) over time, 10 lines/);
  await page.selectOption("#metric", "perplexity:change");
  match(await label("history-chart") ?? "", /^Perplexity, change against the baseline \(%\) over time, 9 lines/);
  equal(await page.locator("#history-table tbody tr").count(), 9 * 12);
  match(await page.locator("#history-table tbody tr").first().textContent() ?? "", /2025-01-01 02:00.*\[.*aaaaaaaaaa/);
  ok(await page.locator("#needles-none").isVisible());
  // The other model: more configurations, of which those of a hidden line stay hidden; needles, no history.
  await page.selectOption("#group", "1");
  match(await label("frontier-tpot") ?? "", /, 22 configurations/);
  match(
    await page.locator("#group-terms").textContent() ?? "",
    /^model-3b · NVIDIA Invented 80GB · float16 .*In full: T3/,
  );
  ok(await page.locator(".needle").isVisible() && !await page.locator("#needles-none").isVisible());
  ok(await page.locator("#history-none").isVisible() && !await page.locator("#history-chart").isVisible());
});

inBrowser("links to terms open them, and names open to what they are", async (browser) => {
  const html = await richPage();
  const { page } = await browser.open(html);
  equal(await page.locator("#t3").getAttribute("open"), null);
  await page.locator("#cells-table tr:not([hidden]) a[href='#t3']").first().click();
  equal(await page.locator("#t3").getAttribute("open"), "");
  match(await page.locator("#t3").textContent() ?? "", /Driver580\.0, CUDA 13\.0.*Commiteeeeeeeeee/s);
  const row = page.locator("#cells-table tr:not([hidden])", { hasText: "unsteady" });
  await row.locator("summary").click();
  ok(await row.locator("li", { hasText: "1.4 cores busy" }).isVisible());
  const direct = await browser.open(html, { hash: "#t2" });
  equal(await direct.page.locator("#t2").getAttribute("open"), "");
});

inBrowser("every control is reached by Tab, and its focus is seen", async (browser) => {
  const { page } = await browser.open(await makePage(await collectPage([inventRun(), inventRun({ model: "x/b" })])));
  const wanted = await page.evaluate<number>(
    `[...document.querySelectorAll("a, button, select, input, summary, [tabindex='0']")]
      .filter((one) => one.checkVisibility() && !one.disabled).length`,
  );
  const reached = new Set<string>();
  for (let press = 0; press < wanted + 2; press++) {
    await page.keyboard.press("Tab");
    const [index, outline] = await page.evaluate<[number, string]>(`(() => {
      const one = document.activeElement;
      const style = getComputedStyle(one);
      return [[...document.querySelectorAll("*")].indexOf(one), style.outlineStyle + " " + style.outlineWidth];
    })()`);
    if (await page.evaluate(`document.activeElement === document.body`)) break;
    equal(outline, "solid 3px");
    reached.add(String(index));
  }
  equal(reached.size, wanted);
});

inBrowser(
  "at 400 pixels nothing is wider than the screen, and rows are cards that name their figures",
  async (browser) => {
    const { page, complaints } = await browser.open(await richPage(), { width: 400 });
    await page.evaluate(`document.querySelectorAll("details").forEach((one) => one.open = true)`);
    for (const group of ["0", "1"]) {
      await page.selectOption("#group", group);
      deepEqual(await page.evaluate(`[document.documentElement.scrollWidth, innerWidth]`), [400, 400]);
    }
    // Long labels of menus, of several models and lengths.
    const sweep = await browser.open(await makePage(await collectPage(inventSweep(160))), { width: 400 });
    deepEqual(await sweep.page.evaluate(`[document.documentElement.scrollWidth, innerWidth]`), [400, 400]);
    const card = page.locator("#cells-table tr:not([hidden])", { hasText: "h2o_25%" }).first();
    const { width } = (await card.boundingBox())!;
    ok(width > 350 && width <= 400, `${width}`);
    equal(
      await card.locator("td").nth(2).evaluate((cell) => getComputedStyle(cell, "::before").content),
      '"Model"',
    );
    deepEqual(complaints, []);
  },
);

inBrowser("all text has a contrast of 4.5 to 1, in light, in dark and in print", async (browser) => {
  const html = await richPage();
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await browser.open(html, { colorScheme });
    await page.selectOption("#group", "1");
    await page.evaluate(`document.querySelectorAll("details").forEach((one) => one.open = true)`);
    deepEqual(await page.evaluate(poorTexts), []);
    const isDark = await page.evaluate(`getComputedStyle(document.body).backgroundColor`) === "rgb(17, 21, 28)";
    equal(isDark, colorScheme === "dark");
    await page.emulateMedia({ media: "print" });
    equal(await page.evaluate(`getComputedStyle(document.body).backgroundColor`), "rgb(255, 255, 255)");
    deepEqual(await page.evaluate(poorTexts), []);
  }
});

inBrowser("printed from a dark screen, the page is light and open, without its controls", async (browser) => {
  const { page, complaints } = await browser.open(await richPage(), { colorScheme: "dark" });
  await page.evaluate(`addEventListener("beforeprint", () => globalThis.printed = {
    folded: document.querySelectorAll(".terms:not([open])").length,
    scheme: getComputedStyle(document.documentElement).getPropertyValue("--scheme").trim(),
  })`);
  const pdf = await page.pdf({ preferCSSPageSize: true });
  equal(new TextDecoder().decode(pdf.subarray(0, 5)), "%PDF-");
  deepEqual(await page.evaluate(`globalThis.printed`), { folded: 0, scheme: "light" });
  // After printing, all is as before.
  equal(await page.locator(".terms[open]").count(), 0);
  ok(await page.evaluate(pixelsOf, ["frontier-tpot", tinted(METHOD_COLORS.indigo, 0.4)] as [string, string]) > 50);
  await page.emulateMedia({ media: "print" });
  const isLight = () => page.evaluate(pixelsOf, ["frontier-tpot", METHOD_COLORS.indigo] as [string, string]);
  // The change of media reaches the page a frame later.
  for (let tries = 0; await isLight() <= 50; tries++) {
    ok(tries < 200, "the picture stays dark in print");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  ok(!await page.locator("#cells-controls").isVisible() && !await page.locator("nav").isVisible());
  ok(await page.locator("#cells-table").isVisible() && await page.locator("#group-terms").isVisible());
  deepEqual(complaints, []);
});

inBrowser("without scripts, the page is text and tables", async (browser) => {
  const html = (await richPage()).replace("script-src ", "script-src 'none' ");
  const { page } = await browser.open(html.replaceAll(/'sha256-[^']+'(?=[^;]*; style-src)/g, ""));
  ok(!await page.locator("#frontier").isVisible() && !await page.locator("#cells-controls").isVisible());
  equal(await page.locator("#cells-table tbody tr:visible").count(), 145);
  ok(await page.locator(".needle").isVisible());
});

inBrowser("a sweep of 1000 cells is small, and shows its first rows until all are asked for", async (browser) => {
  const html = await makePage(await collectPage(inventSweep(1000)));
  ok(html.length < 3e6, `${html.length} bytes`);
  const { page, complaints } = await browser.open(html);
  const visible = () =>
    page.evaluate<number>(
      `[...document.querySelectorAll("#cells-table tbody tr")].filter((row) => row.checkVisibility()).length`,
    );
  equal(await visible(), 200);
  equal(await page.locator("#cells-count").textContent(), "the first 200 of 1025 rows, 1025 in all");
  // The first rows of another order are others.
  await page.locator("th[data-key=kl] button").click();
  equal(await visible(), 200);
  ok((await page.evaluate<string[]>(shownNames)).every((name) => !/_[12]0%$/.test(name)));
  await page.locator("#cells-more").click();
  equal(await visible(), 1025);
  ok(!await page.locator("#cells-more").isVisible());
  deepEqual(complaints, []);
});

inBrowser("a page of failures, or of speed alone, says that there is nothing to draw", async (browser) => {
  const failed = inventRun({ methods: [] });
  failed.results.aggregated_stats = {};
  failed.results.configurations[0]!.status = "failed";
  const fast = inventRun({ methods: ["h2o"] });
  delete fast.results.divergence;
  delete fast.results.comparisons;
  for (const stats of Object.values(fast.results.aggregated_stats)) stats.perplexity = stats.accuracy = NaN;
  for (const [run, rows] of [[failed, 0], [fast, 4]] as const) {
    const { page, complaints } = await browser.open(await makePage(await collectPage([run])));
    ok(await page.locator("#frontier-none").isVisible() && !await page.locator("#frontier-tpot").isVisible());
    ok(await page.locator("#history-none").isVisible());
    equal(await page.locator("#cells-count").textContent(), `${rows} of ${rows} rows`);
    deepEqual(complaints, []);
  }
});
