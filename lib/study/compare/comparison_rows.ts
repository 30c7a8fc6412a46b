import { bracketed, signed } from "../../report/tables/interval_text.ts";
import { significant } from "../../report/tables/significant.ts";
import { printable } from "../../util/printable.ts";
import type { CellComparison, CellName, ComparisonOfSets, MetricComparison, MetricName, SideOfCell } from "./types.ts";

/** A metric as people call it. */
const TITLES: Readonly<Record<MetricName, string>> = {
  status: "status",
  perplexity: "PPL",
  kl: "KL",
  tpot: "TPOT",
  ttft: "TTFT",
  kv_bytes: "KV bytes",
  vram: "VRAM",
};

/** A line of a comparison's table. */
export interface ComparisonRow {
  /** The cell's name. */
  name: string;
  metric: string;
  /** The figure on each side, with its unit. */
  a: string;
  b: string;
  /** Such as `+10.2 %`, and its interval; "" where there is none. */
  change: string;
  interval: string;
  verdict: string;
  /** Why, if the figures do not say it. */
  reason: string;
}

/** Cells that differ in the configuration alone: they share a heading. */
export interface ComparisonGroup {
  /** Model, text, type, lengths, hardware. */
  heading: string;
  rows: ComparisonRow[];
  /** What was found about several cells or one, each sentence once. */
  notes: string[];
}

/**
 * Arranges a comparison for reading: groups of cells with equal terms, a row for each metric.
 *
 * @example
 * ```ts
 * import { comparisonGroups } from "./comparison_rows.ts";
 * import type { ComparisonOfSets } from "./types.ts";
 *
 * const headings = (comparison: ComparisonOfSets) =>
 *   comparisonGroups(comparison, { all: true }).map(({ heading }) => heading);
 * ```
 *
 * @param comparison The comparison.
 * @param options `all`: also metrics that are the same on both sides.
 */
export function comparisonGroups({ cells }: ComparisonOfSets, { all }: { readonly all: boolean }): ComparisonGroup[] {
  const groups = Map.groupBy(cells, (cell) => `${headingOf(cell)}\n${sidesOf(cell)}`);
  return [...groups].map(([title, cells]) => {
    const [heading, sides] = title.split("\n");
    return {
      heading: heading!,
      rows: cells.flatMap(({ terms, metrics }) =>
        metrics.filter(({ verdict }) => all || verdict !== "same").map((metric) => rowOf(terms.name, metric))
      ),
      notes: [sides!, ...notesOf(cells)],
    };
  });
}

/**
 * Says in one line how a comparison ended.
 *
 * @example
 * ```ts
 * import { summaryLine } from "./comparison_rows.ts";
 *
 * const summary = { worse: 1, better: 0, same: 7, unknown: 2, not_reproducible: 0 };
 * console.log(summaryLine({ summary, cells: [], only_a: [], only_b: [] }));
 * // 1 worse, 0 better, 7 same, 2 unknown in 0 cells
 * ```
 *
 * @param comparison The comparison.
 */
export function summaryLine(
  { summary, cells, only_a, only_b }: Pick<ComparisonOfSets, "summary" | "cells" | "only_a" | "only_b">,
): string {
  const { worse, better, same, unknown, not_reproducible } = summary;
  return [
    `${worse} worse, ${better} better, ${same} same, ${unknown} unknown in ${cells.length} cells`,
    ...not_reproducible > 0 ? [`${not_reproducible} cells do not reproduce`] : [],
    ...only_a.length > 0 ? [`${only_a.length} in the first alone (${namesOf(only_a)})`] : [],
    ...only_b.length > 0 ? [`${only_b.length} in the second alone (${namesOf(only_b)})`] : [],
  ].join("; ");
}

/**
 * Explains a comparison's figures and verdicts.
 *
 * @example
 * ```ts
 * import { legend } from "./comparison_rows.ts";
 * import { DEFAULT_OPTIONS } from "./compare_sets.ts";
 *
 * console.log(legend({ options: DEFAULT_OPTIONS, cells: [] }).length); // 1
 * ```
 *
 * @param comparison The comparison.
 * @returns Sentences, one or a few in a line.
 */
export function legend({ options, cells }: Pick<ComparisonOfSets, "options" | "cells">): string[] {
  const percent = (share: number) => `${Number((share * 100).toPrecision(6))} %`;
  const methods = new Set(cells.flatMap(({ metrics }) => metrics.map(({ effect }) => effect?.by)));
  const metrics = cells.flatMap(({ metrics }) => metrics);
  const hasRatio = metrics.some(({ is_ratio }) => is_ratio);
  const hasAbsolute = metrics.some(({ is_ratio, metric }) => !is_ratio && (metric === "tpot" || metric === "ttft"));
  return [
    `Smallest changes that matter: times ${percent(options.min_time)}, quality ${percent(options.min_quality)}, ` +
    `GPU memory ${percent(options.min_memory)}. Worse and better: larger than that, with 95 % for all verdicts ` +
    "together (Holm). Same: the 95 % interval is within it. Else unknown.",
    ...hasRatio ? ["1.000x: the time over the baseline's in the same round, so that what slows both cancels out."] : [],
    ...hasAbsolute && !methods.has("nights")
      ? [`Other times allow for ${percent(options.drift)} from run to run (--drift).`]
      : [],
    ...methods.has("nights") ? ["Changes are against the mean of the earlier nights; the night is the unit."] : [],
  ];
}

function rowOf(name: string, metric: MetricComparison): ComparisonRow {
  const { effect, verdict, reason = "" } = metric;
  return {
    name,
    metric: TITLES[metric.metric],
    a: figureOf(metric, metric.a),
    b: figureOf(metric, metric.b),
    ...effect === null ? { change: "", interval: "" } : changeOf(metric.metric, effect),
    verdict,
    reason: printable(reason, 120),
  };
}

function figureOf({ metric, is_ratio }: MetricComparison, value: number | null): string {
  if (metric === "status") return value === 0 ? "done" : "failed";
  if (value === null) return "-";
  if (is_ratio) return `${value.toFixed(3)}x`;
  if (metric === "tpot") return `${significant(value * 1000, 4)} ms`;
  if (metric === "ttft") return `${significant(value, 4)} s`;
  if (metric === "kl") return significant(value, 4);
  if (metric === "perplexity") return significant(value, 6);
  return `${significant(value / 2 ** 20, 4)} MiB`;
}

/** In percent; of KL in thousandths of a nat. */
function changeOf(metric: MetricName, { estimate, low, high, by }: NonNullable<MetricComparison["effect"]>) {
  const isKl = metric === "kl";
  const scaled = (value: number) => isKl ? value * 1000 : Math.expm1(value) * 100;
  const digits = isKl || metric === "perplexity" ? 3 : 1;
  return {
    change: `${signed(scaled(estimate), digits)} ${isKl ? "mnat" : "%"}`,
    interval: by === "exact" ? "" : bracketed({ low: scaled(low), high: scaled(high) }, digits),
  };
}

function headingOf({ terms, b }: CellComparison): string {
  const { model, text, dtype, positions, prompt_tokens, max_new_tokens, max_tokens } = terms;
  return printable(
    `${model} on ${text}, ${dtype}, positions ${positions}, ${b.hardware}; prompt ${prompt_tokens}, ` +
      `${max_new_tokens} generated, quality ${max_tokens}`,
  );
}

function sidesOf({ a, b }: CellComparison): string {
  const side = ({ commit, host, timestamp, files }: SideOfCell) =>
    `${timestamp}${commit === null ? "" : `, commit ${commit.slice(0, 10)}`}${host === null ? "" : `, host ${host}`}` +
    (files.length > 1 ? `, ${files.length} runs` : "");
  return printable(`first: ${side(a)}; second: ${side(b)}`);
}

/** A sentence that is true of all cells stands once. */
function notesOf(cells: readonly CellComparison[]): string[] {
  const by = new Map<string, string[]>();
  for (const { terms, notes } of cells) {
    for (const note of notes) by.set(note, [...by.get(note) ?? [], terms.name]);
  }
  return [...by].map(([note, names]) =>
    printable(names.length === cells.length ? note : `${names.join(", ")}: ${note}`)
  );
}

function namesOf(cells: readonly CellName[]): string {
  const names = [...new Set(cells.map(({ terms }) => terms.name))];
  return printable(names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : ""));
}
