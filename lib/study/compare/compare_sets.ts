import type { FoundResults } from "../find_results.ts";
import { InputError } from "../../util/errors.ts";
import { type Cell, cellsOf, matchCells } from "./cells.ts";
import { compareCell, type UnjudgedCell } from "./compare_cell.ts";
import type { CellComparison, CellName, CompareOptions, ComparisonOfSets, MetricComparison } from "./types.ts";
import { moderate } from "./moderate.ts";
import { judge } from "./verdict.ts";

/** What `deno task compare` takes for a change that matters, unless it is told otherwise. */
export const DEFAULT_OPTIONS: CompareOptions = { min_time: 0.03, min_quality: 0.0005, min_memory: 0.01, drift: 0.05 };

/** Cells of a side among which the nearest is looked for: an example is wanted, not the very nearest of thousands. */
const MOST_TRIED = 100;

/**
 * Compares two sets of results, cell by cell.
 *
 * @example
 * ```ts
 * import { compareSets } from "./compare_sets.ts";
 * import { findResults } from "../find_results.ts";
 *
 * const worse = async (a: string, b: string) =>
 *   compareSets(await findResults([a]), await findResults([b])).summary.worse;
 * ```
 *
 * @param a The earlier results.
 * @param b The later ones.
 * @param given The smallest changes that matter; {@linkcode DEFAULT_OPTIONS} for those left out.
 * @returns A verdict for each metric of each cell that both have.
 * @throws {InputError} If no cell is in both.
 */
export function compareSets(
  a: readonly FoundResults[],
  b: readonly FoundResults[],
  given: Partial<CompareOptions> = {},
): ComparisonOfSets {
  const options = { ...DEFAULT_OPTIONS, ...given };
  const { pairs, onlyA, onlyB } = matchCells(cellsOf(a), cellsOf(b));
  if (pairs.length === 0) throw new InputError(`Cannot compare: no cell is on both sides; ${nearest(onlyA, onlyB)}`);
  return {
    options,
    ...judged(pairs.map((pair) => compareCell(pair, options))),
    only_a: onlyA.map(nameOf),
    only_b: onlyB.map(nameOf),
  };
}

/**
 * Gives all cells their verdicts, and counts these.
 *
 * @example
 * ```ts
 * import { judged } from "./compare_sets.ts";
 *
 * console.log(judged([]).summary.worse); // 0
 * ```
 *
 * @param cells What was compared.
 */
export function judged(cells: readonly UnjudgedCell[]): Pick<ComparisonOfSets, "cells" | "summary"> {
  const metrics = judge(moderate(cells.flatMap(({ metrics }) => metrics)));
  let next = 0;
  const complete: CellComparison[] = cells.map((cell) => ({
    ...cell,
    metrics: metrics.slice(next, next += cell.metrics.length),
  }));
  const count = (wanted: MetricComparison["verdict"]) => metrics.filter(({ verdict }) => verdict === wanted).length;
  return {
    cells: complete,
    summary: {
      worse: count("worse"),
      better: count("better"),
      same: count("same"),
      unknown: count("unknown"),
      not_reproducible: complete.filter(({ is_reproducible }) => is_reproducible === false).length,
    },
  };
}

/**
 * Returns the exit code of a comparison: 3 if something is worse or does not reproduce, else 0.
 *
 * @example
 * ```ts
 * import { exitCodeOf } from "./compare_sets.ts";
 *
 * console.log(exitCodeOf({ worse: 0, better: 2, same: 5, unknown: 1, not_reproducible: 0 })); // 0
 * ```
 *
 * @param summary The comparison's.
 */
export function exitCodeOf({ worse, not_reproducible }: ComparisonOfSets["summary"]): 0 | 3 {
  return worse + not_reproducible > 0 ? 3 : 0;
}

function nameOf({ key, terms, hardware }: Cell): CellName {
  return { key, terms, hardware };
}

/** Says in what the two sides differ most nearly: in the fewest terms. */
function nearest(as: readonly Cell[], bs: readonly Cell[]): string {
  if (as.length === 0 || bs.length === 0) {
    return `the ${as.length === 0 ? "first" : "second"} side has no measured configuration`;
  }
  let best: string[] | undefined;
  for (const a of as.slice(0, MOST_TRIED)) {
    for (const b of bs.slice(0, MOST_TRIED)) {
      const differ = (Object.keys(a.terms) as (keyof Cell["terms"])[]).filter((term) => a.terms[term] !== b.terms[term])
        .map((term) => `${term} ${a.terms[term] || "none"} → ${b.terms[term] || "none"}`);
      if (best === undefined || differ.length < best.length) best = differ;
    }
  }
  return `the nearest two differ in ${best!.join(", ")}`;
}
