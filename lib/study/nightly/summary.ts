import { comparisonGroups } from "../compare/comparison_rows.ts";
import type { ComparisonOfSets } from "../compare/types.ts";
import { printable } from "../../util/printable.ts";

/** Most changes that the line names. */
const MOST_NAMED = 3;

/** What a night came to. */
export interface NightOutcome {
  readonly plan: string;
  readonly night: string;
  /** Cells that are done, have failed, and are left to other workers. */
  readonly cells: { readonly done: number; readonly failed: number; readonly left: number };
  /** Undefined if there is none; null if it failed. */
  readonly comparison: ComparisonOfSets | undefined | null;
  /** Earlier nights that it was compared with. */
  readonly nights: number;
  /** What went wrong, a few words each. */
  readonly problems: readonly string[];
  /** The file or folder to look at. */
  readonly see: string;
}

/**
 * Says in one line how a night ended, for a mail.
 *
 * @example
 * ```ts
 * import { summarize } from "./summary.ts";
 *
 * const cells = { done: 4, failed: 0, left: 0 };
 * const night = { plan: "paper", night: "2026-11-24", cells, comparison: undefined, nights: 0, problems: [] };
 * console.log(summarize({ ...night, see: "/data/report.html" }));
 * // kvcompress nightly paper 2026-11-24: ok; 4 cells done; no earlier night to compare with; /data/report.html
 * ```
 *
 * @param outcome Of the night.
 */
export function summarize({ plan, night, cells, comparison, nights, problems, see }: NightOutcome): string {
  const { done, failed, left } = cells;
  const regressions = comparison == null ? [] : regressionsOf(comparison);
  const words = [
    ...regressions.length > 0 ? [`REGRESSION: ${named(regressions)}`] : [],
    ...problems.length > 0 || failed + left > 0 ? ["FAILED"] : regressions.length > 0 ? [] : ["ok"],
    ...problems,
    [
      `${done} cells done`,
      ...failed > 0 ? [`${failed} failed`] : [],
      ...left > 0 ? [`${left} left`] : [],
    ].join(", "),
    ...comparison === null ? [] : [verdictsOf(comparison, nights)],
    see,
  ];
  return printable(`kvcompress nightly ${plan} ${night}: ${words.join("; ")}`, 2000);
}

/** Changes for the worse, and cells that do not reproduce. */
function regressionsOf(comparison: ComparisonOfSets): string[] {
  const groups = comparisonGroups(comparison, { all: false });
  const worse = groups.flatMap(({ heading, rows }) =>
    rows.filter(({ verdict }) => verdict === "worse").map(({ name, metric, change }) =>
      [name, metric, change, ...groups.length > 1 ? [`(${heading.split(";")[0]})`] : []].filter(Boolean).join(" ")
    )
  );
  const odd = comparison.cells.filter(({ is_reproducible }) => is_reproducible === false)
    .map(({ terms }) => `${terms.name} does not reproduce`);
  return [...worse, ...odd];
}

function named(changes: readonly string[]): string {
  const more = changes.length - MOST_NAMED;
  return changes.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function verdictsOf(comparison: ComparisonOfSets | undefined, nights: number): string {
  if (comparison === undefined) return "no earlier night to compare with";
  const { summary, only_a } = comparison;
  const { worse, better, same, unknown } = summary;
  const lost = only_a.length > 0 ? `, ${only_a.length} cells of the last night are missing` : "";
  const count = nights === 1 ? "1 night" : `${nights} nights`;
  return `against ${count}: ${worse} worse, ${better} better, ${same} same, ${unknown} unknown${lost}`;
}
