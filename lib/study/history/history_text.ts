import type { DatabaseSync } from "node:sqlite";
import { formatGrid, type GridRow } from "../../report/tables/grid.ts";
import { significant } from "../../report/tables/significant.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";

type Row = Record<string, unknown>;

/** Shortest prefix of a series. */
const FEWEST_DIGITS = 4;

/**
 * Formats the last runs of a history as a table, the newest at the end.
 *
 * @example
 * ```ts
 * import { listText } from "./history_text.ts";
 * import { openHistory } from "./open_history.ts";
 *
 * const print = () => console.log(listText(openHistory("results/history.sqlite", "read"), { limit: 50, width: 80 }));
 * ```
 *
 * @param history An open history.
 * @param options `limit`: most runs; `width`: characters of a line.
 */
export function listText(history: DatabaseSync, { limit, width }: { limit: number; width: number }): string {
  const runs = history.prepare(
    `SELECT id, started, night, model, hardware, host, git_commit,
       (SELECT count(*) FROM rows WHERE run = id AND status = 'done') AS done,
       (SELECT count(*) FROM rows WHERE run = id AND status <> 'done') AS other
     FROM runs ORDER BY started DESC, id DESC LIMIT ?`,
  ).all(limit).reverse();
  const all = Number(history.prepare("SELECT count(*) AS n FROM runs").get()!["n"]);
  if (all === 0) return "The history has no runs: deno task history add FOLDER... reads them";
  const grid = formatGrid({
    title: "Run",
    columns: ["Started", "Night", "Model", "Host", "Commit", "Done", "Not"].map((title, group) => ({ title, group })),
    rows: runs.map((run) => ({
      name: `${run["id"]}`,
      cells: [
        of(run["started"]).slice(0, 16),
        of(run["night"]),
        of(run["model"]),
        of(run["host"]),
        of(run["git_commit"]).slice(0, 7),
        of(run["done"]),
        of(run["other"]),
      ],
    })),
    ruled: true,
  }, width);
  return runs.length < all ? `${grid}\n${all - runs.length} earlier runs are not shown: --limit` : grid;
}

/**
 * Formats one run with its rows, or one cell over time.
 *
 * @example
 * ```ts
 * import { showText } from "./history_text.ts";
 * import { openHistory } from "./open_history.ts";
 *
 * const history = () => openHistory("results/history.sqlite", "read");
 * const print = () => console.log(showText(history(), "1", { limit: 50, width: 80 }));
 * ```
 *
 * @param history An open history.
 * @param wanted A run's number or file, or the first digits of a series.
 * @param options `limit`: most measurements of a cell; `width`: characters of a line.
 * @throws {InputError} If there is no such run or series.
 */
export function showText(
  history: DatabaseSync,
  wanted: string,
  options: { limit: number; width: number },
): string {
  const run = history.prepare(
    "SELECT * FROM runs WHERE CAST(id AS TEXT) = ? OR file = ? OR file = ? || '/results.json'",
  )
    .get(wanted, wanted, wanted);
  if (run !== undefined) return runText(history, run, options.width);
  const series = wanted.length < FEWEST_DIGITS || !/^[0-9a-f]+$/.test(wanted)
    ? []
    : history.prepare("SELECT DISTINCT series FROM rows WHERE series GLOB ?").all(`${wanted}*`);
  if (series.length === 1) return seriesText(history, of(series[0]!["series"]), options);
  const why = series.length > 1 ? `${series.length} series begin so` : "there is no such run or series";
  throw new InputError(
    `Cannot show ${wanted}: ${why}; give a run's number from deno task history list, its folder, or a series`,
  );
}

function runText(history: DatabaseSync, run: Row, width: number): string {
  const { id, ...fields } = run;
  const longest = Math.max(...Object.keys(fields).map((name) => name.length));
  const lines = Object.entries(fields).filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.padEnd(longest)}  ${printable(of(value))}`);
  const rows = history.prepare("SELECT * FROM rows WHERE run = ? ORDER BY rowid").all(Number(id));
  const cells: GridRow[] = rows.map((row) => ({
    name: of(row["name"]),
    cells: row["status"] === "done"
      ? [...figures(row), of(row["series"]).slice(0, 8)]
      : `${row["status"]}: ${printable(of(row["reason"] ?? ""), 60)}`,
  }));
  return [`Run ${id}`, ...lines, "", figureGrid("Row", cells, width)].join("\n");
}

function seriesText(history: DatabaseSync, series: string, { limit, width }: { limit: number; width: number }): string {
  const rows = history.prepare(
    `SELECT rows.*, started, host, git_commit, model, text, device FROM rows JOIN runs ON run = id
     WHERE series = ? ORDER BY started DESC, id DESC LIMIT ?`,
  ).all(series, limit).reverse();
  const { name, params, model, text, dtype, device } = rows.at(-1)!;
  const cells: GridRow[] = rows.map((row) => ({
    name: `${of(row["started"]).slice(0, 16)} ${of(row["git_commit"]).slice(0, 7)}`,
    cells: row["status"] === "done" ? figures(row) : of(row["status"]),
  }));
  const sizes = Object.entries(JSON.parse(of(params))).map((each) => ` ${each.join("=")}`).join("");
  return [printable(`${name}:${sizes} ${model}, ${text}, ${dtype}, ${device}`), figureGrid("Run", cells, width)].join(
    "\n",
  );
}

function figureGrid(title: string, rows: readonly GridRow[], width: number): string {
  const columns = ["TPOT ms", "vs baseline", "TTFT s", "PPL", "KL", "KV MiB", ...title === "Row" ? ["Series"] : []];
  return formatGrid({ title, columns: columns.map((title, group) => ({ title, group })), rows, ruled: true }, width);
}

function figures(row: Row): string[] {
  const number = (name: string, digits: number, factor = 1) =>
    typeof row[name] === "number" ? significant(row[name] * factor, digits) : "-";
  const ratio = typeof row["tpot_ratio"] === "number" ? `x ${row["tpot_ratio"].toFixed(3)}` : "-";
  return [
    number("tpot_s", 4, 1000),
    ratio,
    number("ttft_s", 4),
    number("perplexity", 6),
    number("kl_nats", 3),
    number("kv_mean_bytes", 4, 2 ** -20),
  ];
}

function of(value: unknown): string {
  return value === null || value === undefined ? "-" : String(value);
}
