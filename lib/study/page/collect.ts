import { relative } from "@std/path";
import type { BenchmarkResults } from "../../report/results/types.ts";
import type { FoundResults } from "../find_results.ts";
import { commonFolder } from "./common_folder.ts";
import { shown } from "./escape.ts";
import { pageLooks } from "./looks.ts";
import { type NeedleCell, readNeedles } from "./needles.ts";
import type { PageCell, PageData } from "./page_data.ts";
import { baselineOf, type RunRow, runRows } from "./run_rows.ts";
import { groupLabels, type GroupTerms, groupTerms, runTerms, type Term } from "./terms.ts";

/** A row of the page: its cell, and what only the text of the page has. */
export type PageRow = Omit<RunRow, "cell"> & {
  cell: PageCell;
  /** What its changes compare with. */
  baseline: string;
  /** The run's results.json, relative to the folder that all of them are in. */
  file: string;
  model: string;
  /** The GPU, or the CPU where it ran. */
  machine: string;
  /** Tokens of the prompt, generated, and read for quality. */
  lengths: readonly [prompt: number, generated: number, read: number];
};

/** A configuration that has no figures, and why. */
export interface PageFailure {
  name: string;
  reason: string;
  time: string;
  terms: number;
  file: string;
}

/** What a configuration found, by length and depth. */
export interface PageNeedles {
  name: string;
  group: number;
  time: string;
  terms: number;
  cells: readonly NeedleCell[];
}

/** All that a page says. */
export interface PageContent {
  data: PageData;
  rows: readonly PageRow[];
  failures: readonly PageFailure[];
  needles: readonly PageNeedles[];
  /** The different terms of all runs. */
  terms: readonly (readonly Term[])[];
  /** Number of results.json. */
  runs: number;
}

/** A run without its steps. */
interface ThinRun {
  file: string;
  time: string;
  skipped: string;
  commit: string;
  host: string;
  baseline: string;
  terms: Term[];
  group: GroupTerms;
  lengths: PageRow["lengths"];
  rows: RunRow[];
  failures: { name: string; reason: string }[];
  needles: NeedleCell[];
}

/** Characters shown of a commit. */
const COMMIT = 10;

/**
 * Collects a page's content from runs. A run's steps are dropped as soon as it is read, so that thousands fit in memory.
 *
 * A measurement that several results.json hold, such as the baseline of a sweep's cells, is one row.
 *
 * @param found Runs, in any order.
 * @returns The content; it depends on the runs and the names of their files alone.
 * @throws {InputError} If a run's needles are not of their shape.
 *
 * @example
 * ```ts
 * import { findResults } from "../find_results.ts";
 * import { collectPage } from "./collect.ts";
 *
 * const groups = async (folder: string) => (await collectPage(await findResults([folder]))).data.groups;
 * ```
 */
export async function collectPage(
  found: Iterable<FoundResults> | AsyncIterable<FoundResults>,
): Promise<PageContent> {
  const runs: ThinRun[] = [];
  for await (const one of found) runs.push(thin(one));
  const folder = commonFolder(runs.map(({ file }) => file));
  const fileOf = ({ file }: ThinRun) => shown(relative(folder, file));
  const groups = [...new Map(runs.map(({ group }) => [group.key, group])).values()]
    .sort((a, b) => compare(a.parts.join("\n"), b.parts.join("\n")) || compare(a.key, b.key));
  const groupOf = new Map(groups.map(({ key }, index) => [key, index]));
  // By group, the newest run first; what is left is settled by the files' names.
  runs.sort((a, b) =>
    groupOf.get(a.group.key)! - groupOf.get(b.group.key)! || compare(b.time, a.time) || compare(a.file, b.file)
  );
  const terms = new Indexed<readonly Term[]>();
  const lines = new Indexed<string>();
  const rows: PageRow[] = [];
  const seen = new Set<string>(), lineSeen = new Set<number>();
  for (const run of runs) {
    const group = groupOf.get(run.group.key)!;
    for (const row of run.rows) {
      const measurement = JSON.stringify([group, run.time, run.host, row.cell, row.params]);
      if (seen.has(measurement)) continue;
      seen.add(measurement);
      const { name, series } = row.cell;
      const line = lines.of(
        JSON.stringify([group, name, series, row.method, row.dtype, row.positions, row.params, run.skipped]),
      );
      const newest = !lineSeen.has(line);
      lineSeen.add(line);
      const { time, commit, host, baseline, lengths } = run;
      rows.push({
        ...row,
        cell: { ...row.cell, look: 0, group, line, newest, time, commit, host, terms: terms.of(run.terms) },
        baseline,
        lengths,
        file: fileOf(run),
        model: run.group.parts[0]!,
        machine: run.group.parts[1]!,
      });
    }
  }
  // A method's own look is that of its usual positions, whichever run is newer.
  const ordered = rows.toSorted((a, b) => Number(a.cell.series.includes("@")) - Number(b.cell.series.includes("@")));
  const { looks, of } = pageLooks(ordered.map(({ cell, method }) => ({ name: cell.series, method })));
  ordered.forEach(({ cell }, index) => cell.look = of[index]!);
  return {
    data: {
      groups: groupLabels(groups).map((label, index) => ({ label, terms: groups[index]!.parts })),
      looks,
      cells: rows.map(({ cell }) => cell),
    },
    rows,
    failures: runs.flatMap((run) =>
      run.failures.map((failure) => ({
        ...failure,
        time: run.time,
        terms: terms.of(run.terms),
        file: fileOf(run),
      }))
    ),
    needles: runs.flatMap((run) =>
      [...Map.groupBy(run.needles, ({ configuration }) => configuration)].map(([name, cells]) => ({
        name: shown(name),
        group: groupOf.get(run.group.key)!,
        time: run.time,
        terms: terms.of(run.terms),
        cells,
      }))
    ),
    terms: terms.values,
    runs: runs.length,
  };
}

function thin({ file, results }: FoundResults): ThinRun {
  const { config, environment } = results;
  return {
    file,
    time: timeOf(config.timestamp),
    skipped: config.skip_layers.join(),
    commit: shown((environment.git_commit ?? "").slice(0, COMMIT)),
    host: shown(environment.host ?? "", 60),
    baseline: baselineOf(results),
    terms: runTerms(results),
    group: groupTerms(results),
    lengths: [config.prompt_tokens, config.max_new_tokens, config.max_tokens],
    rows: runRows(results),
    failures: failuresOf(results),
    needles: readNeedles(results, file),
  };
}

function failuresOf({ configurations, aggregated_stats, failures }: BenchmarkResults): ThinRun["failures"] {
  return configurations.filter(({ name }) => aggregated_stats[name] === undefined).map(({ name, status }) => ({
    name: shown(name),
    reason: shown(failures.find(({ method }) => method === name)?.reason ?? status, 500),
  }));
}

/** Writes a run's YYYYMMDD_HHMMSS for people. */
function timeOf(timestamp: string): string {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/.exec(timestamp) ?? [];
  return year === undefined ? shown(timestamp, 40) : `${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

/** By code units: the same order in every language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Different values, each with an index. */
class Indexed<T> {
  readonly values: T[] = [];
  readonly #places = new Map<string, number>();

  /** Returns the index of a value that is equal to this one. */
  of(value: T): number {
    const key = JSON.stringify(value);
    const place = this.#places.get(key) ?? this.values.push(value) - 1;
    this.#places.set(key, place);
    return place;
  }
}
