import { type CellTerms, cellTerms, hardwareOf, seriesKey } from "../cell_terms.ts";
import type { FoundResults } from "../find_results.ts";
import type { ConfigurationRecord } from "../../report/results/types.ts";
import { sameModel } from "./same_inputs.ts";

/** A configuration in one run. */
export interface CellRun extends FoundResults {
  /** The configuration. */
  record: ConfigurationRecord;
}

/** What one side of a comparison knows of a cell on one kind of hardware. */
export interface Cell {
  /** Its key, {@linkcode seriesKey}. */
  key: string;
  /** What is measured. */
  terms: CellTerms;
  /** GPU or CPU, {@linkcode hardwareOf}. */
  hardware: string;
  /** Runs of one build on one model and one text, the newest last; at least one. */
  runs: readonly CellRun[];
  /** Runs left out: of other builds, models or texts than the newest. */
  leftOut: number;
}

/** A cell of both sides. */
export interface CellPair {
  a: Cell;
  b: Cell;
}

/** The cells of two sides. */
export interface MatchedCells {
  /** Cells of both. */
  pairs: CellPair[];
  /** Cells of one alone. */
  onlyA: Cell[];
  onlyB: Cell[];
}

/**
 * Collects the cells of some runs. Several runs of a cell on one kind of hardware are one cell if build, model and text
 * are the same; else the newest counts, and those like it. Configurations that were not measured to the end, because
 * the run was ended, are no cells; those that failed are.
 *
 * @example
 * ```ts
 * import { cellsOf } from "./cells.ts";
 * import { findResults } from "../find_results.ts";
 *
 * const names = async () => cellsOf(await findResults(["results"])).map(({ terms }) => terms.name);
 * ```
 *
 * @param found The runs.
 * @returns In the order of the runs and of their tables.
 */
export function cellsOf(found: readonly FoundResults[]): Cell[] {
  const groups = new Map<string, { terms: CellTerms; key: string; hardware: string; runs: CellRun[] }>();
  for (const { file, results } of found) {
    const hardware = hardwareOf(results);
    for (const record of results.configurations) {
      if (!isOver(results.failures, record)) continue;
      const terms = cellTerms(results, record);
      const key = seriesKey(terms);
      const group = placeOf({ key, hardware });
      if (!groups.has(group)) groups.set(group, { terms, key, hardware, runs: [] });
      groups.get(group)!.runs.push({ file, results, record });
    }
  }
  return [...groups.values()].map(({ runs, ...group }) => {
    const sorted = withoutCopies(runs).toSorted((a, b) =>
      a.results.config.timestamp < b.results.config.timestamp ? -1 : 1
    );
    const newest = sorted.at(-1)!;
    const alike = sorted.filter((run) => run !== newest && isAlike(run, newest));
    return { ...group, runs: [...alike, newest], leftOut: sorted.length - alike.length - 1 };
  });
}

/**
 * Matches cells by their keys: first those on equal hardware, then those that are left on one kind of hardware on each
 * side.
 *
 * @example
 * ```ts
 * import { matchCells } from "./cells.ts";
 *
 * console.log(matchCells([], [])); // { pairs: [], onlyA: [], onlyB: [] }
 * ```
 *
 * @param as One side's cells.
 * @param bs The other's.
 */
export function matchCells(as: readonly Cell[], bs: readonly Cell[]): MatchedCells {
  const pairs: CellPair[] = [];
  const leftA: Cell[] = [], leftB = new Set(bs);
  const byPlace = new Map(bs.map((cell) => [placeOf(cell), cell]));
  for (const a of as) {
    const b = byPlace.get(placeOf(a));
    if (b === undefined) leftA.push(a);
    else {
      pairs.push({ a, b });
      leftB.delete(b);
    }
  }
  const [groupsA, groupsB] = [leftA, [...leftB]].map((cells) => Map.groupBy(cells, ({ key }) => key));
  const onlyA = leftA.filter((a) => {
    const others = groupsB!.get(a.key) ?? [];
    if (others.length !== 1 || groupsA!.get(a.key)!.length !== 1) return true;
    pairs.push({ a, b: others[0]! });
    leftB.delete(others[0]!);
    return false;
  });
  return { pairs, onlyA, onlyB: [...leftB] };
}

/**
 * Returns a cell's key with its hardware: cells are compared with those of the same place first.
 *
 * @example
 * ```ts
 * import { placeOf } from "./cells.ts";
 *
 * console.log(placeOf({ key: "0123456789abcdef", hardware: "EPYC, 8 cores" })); // 0123456789abcdef EPYC, 8 cores
 * ```
 *
 * @param cell The cell.
 */
export function placeOf({ key, hardware }: Pick<Cell, "key" | "hardware">): string {
  return `${key} ${hardware}`;
}

/** A sweep's finished cells each hold a copy of their baseline: one measurement counts once. */
function withoutCopies(runs: readonly CellRun[]): CellRun[] {
  const seen = new Map(runs.map((run) => {
    const { config, environment, speed_runs = [], raw_results } = run.results;
    const times = [...speed_runs, ...raw_results].filter(({ method }) => method === run.record.name)
      .map(({ tpot, ttft }) => [tpot, ttft]);
    return [JSON.stringify([config.timestamp, environment.host, times]), run];
  }));
  return [...seen.values()];
}

/** Whether it was measured to its end, or failed by itself. */
function isOver(failures: readonly { method: string; reason: string }[], { name, status }: ConfigurationRecord) {
  if (status !== "failed") return status === "done";
  return failures.some(({ method, reason }) => method === name && reason !== "interrupted");
}

/** Whether two runs measured the same thing with the same code. */
function isAlike(run: CellRun, newest: CellRun): boolean {
  const [a, b] = [run.results.environment, newest.results.environment];
  return run.record.status === newest.record.status && buildOf(a) === buildOf(b) && sameModel(a, b) &&
    a.text_sha256 === b.text_sha256;
}

/** The code's hash; of earlier results, its commit and version. */
function buildOf({ code_sha256, git_commit, kvcompress }: CellRun["results"]["environment"]): string {
  return code_sha256 ?? `${git_commit} ${kvcompress}`;
}
