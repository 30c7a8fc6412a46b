/** The history: made anew, brought up to date, queried as its page says, exported. */
import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "@std/path";
import { parquetReadObjects } from "hyparquet";
import { rowFields } from "../../lib/report/tables/formats/row_fields.ts";
import { writeResults } from "../../lib/report/results/results_file.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { exportHistory, exportTable } from "../../lib/study/history/export/export_table.ts";
import { filesOfCommit, filesOfNight, lastFiles, nightsBefore } from "../../lib/study/history/find_runs.ts";
import { listText, showText } from "../../lib/study/history/history_text.ts";
import { momentOf } from "../../lib/study/history/nights.ts";
import { openHistory } from "../../lib/study/history/open_history.ts";
import { ROW_COLUMNS, TABLES } from "../../lib/study/history/schema.ts";
import { addToHistory, foldersOf, rebuildHistory } from "../../lib/study/history/update_history.ts";
import { project, TemporaryFolder } from "../bench/_bench.ts";
import { inventResults, inventRounds } from "../report/_invent.ts";
import { inventNights, WORLD, writeNights } from "./_nights.ts";

const PAGE = await Deno.readTextFile(join(project, "docs/history.md"));

/** A folder with three nights and its history. */
async function nights(): Promise<
  { folder: TemporaryFolder; path: string; folders: string[]; open: () => DatabaseSync }
> {
  const folder = new TemporaryFolder();
  const folders = await writeNights(join(folder.path, "runs"), inventNights(1, 3, { ...WORLD, commits: 1 }));
  const path = join(folder.path, "history.sqlite");
  await rebuildHistory(path, [join(folder.path, "runs")]);
  return { folder, path, folders, open: () => openHistory(path, "read") };
}

/** Everything in a history but its numbers. */
function contentOf(path: string): unknown {
  using history = new DatabaseSync(path, { readOnly: true });
  return Object.keys(TABLES).map((table) => {
    const { records } = exportTable(history, table as keyof typeof TABLES);
    return records.map(({ id: _, run: __, ...record }) => record);
  });
}

Deno.test("a history has each run, row and speed pass, with the figures of results.json", async () => {
  const { folder, open, folders } = await nights();
  await using _folder = folder;
  const results = JSON.parse(await Deno.readTextFile(join(folders[1]!, "results.json"))) as BenchmarkResults;
  using history = open();
  const runs = history.prepare("SELECT * FROM runs ORDER BY started").all();
  equal(runs.length, 3);
  const run = runs[1]!;
  deepEqual([run["night"], run["started"], run["started_utc"]], [
    "2026-11-02",
    "2026-11-03 02:00:00",
    "2026-11-03 02:00:00Z",
  ]);
  deepEqual([run["host"], run["hardware"], run["schema"]], ["node1", "Invented CPU, 8 cores", 2]);
  equal(run["git_commit"], results.environment.git_commit);
  const rows = history.prepare("SELECT * FROM rows WHERE run = ? ORDER BY rowid").all(Number(run["id"]));
  equal(rows.length, WORLD.rows + 1);
  for (const [i, row] of rows.entries()) {
    const fields = rowFields(results, results.configurations[i]!);
    for (const name of ["name", "tpot_s", "perplexity", "kl_nats", "kl_nats_low", "status"]) {
      equal(row[name], fields[name]);
    }
  }
  const processes = history.prepare("SELECT * FROM processes WHERE run = ? ORDER BY rowid").all(Number(run["id"]));
  deepEqual(
    processes.map(({ name, round, tpot_s }) => [name, round, tpot_s]),
    results.speed_runs!.map((each) => [each.method, each.round, each.tpot]),
  );
});

Deno.test("every field of the CSV file is a column of the history or of its run", () => {
  const results = inventRounds({ baseline: [{}], tova: [{}] });
  const ofRun = ["model", "dataset", "device", "timestamp"];
  const missing = Object.keys(rowFields(results, results.configurations[1]!))
    .filter((name) => !Object.hasOwn(ROW_COLUMNS, name) && !ofRun.includes(name));
  deepEqual(missing, []);
});

Deno.test("add reads what is new or changed, and takes out what is gone; the result is that of rebuild", async () => {
  const { folder, path, folders } = await nights();
  await using _folder = folder;
  const root = join(folder.path, "runs");
  const { skipped: _, ...nothing } = await addToHistory(path, [root]);
  deepEqual(nothing, { added: 0, changed: 0, unchanged: 3, removed: 0 });

  using before = openHistory(path, "read");
  const idOf = (history: DatabaseSync, file: string) =>
    history.prepare("SELECT id FROM runs WHERE file = ?").get(file)?.["id"];
  const kept = idOf(before, join(folders[1]!, "results.json"));
  const [, , , more] = inventNights(1, 4, WORLD);
  await Deno.mkdir(join(root, "more"));
  await writeResults(join(root, "more"), more!);
  const [other] = inventNights(2, 1, WORLD);
  await writeResults(folders[1]!, other!);
  await Deno.remove(folders[0]!, { recursive: true });
  // The same content, written again.
  await Deno.utime(join(folders[2]!, "results.json"), 1, 1);
  const { skipped: __, ...update } = await addToHistory(path, [root]);
  deepEqual(update, { added: 1, changed: 1, unchanged: 1, removed: 1 });
  using after = openHistory(path, "read");
  equal(idOf(after, join(folders[1]!, "results.json")), kept);

  const anew = join(folder.path, "anew.sqlite");
  await rebuildHistory(anew, [root]);
  deepEqual(contentOf(path), contentOf(anew));
  // A folder that is added says nothing of others.
  await addToHistory(path, [join(root, "more")]);
  equal(openAndCount(path), 3);
  deepEqual(foldersOf(path), [root, join(root, "more")]);
});

function openAndCount(path: string): number {
  using history = openHistory(path, "read");
  return Number(history.prepare("SELECT count(*) AS n FROM runs").get()!["n"]);
}

Deno.test("damaged and foreign files are named, and lose their figures", async () => {
  const { folder, path, folders } = await nights();
  await using _folder = folder;
  await Deno.truncate(join(folders[1]!, "results.json"), 1000);
  await Deno.mkdir(join(folder.path, "runs/foreign"));
  await Deno.writeTextFile(join(folder.path, "runs/foreign/results.json"), "[]");
  for (const update of [await addToHistory(path, foldersOf(path)), await rebuildHistory(path, foldersOf(path))]) {
    deepEqual(update.skipped.map(({ file }) => file).sort(), [
      join(folder.path, "runs/foreign/results.json"),
      join(folders[1]!, "results.json"),
    ]);
    match(update.skipped.map(({ reason }) => reason).join("\n"), /the content is an array, an object is needed/);
    equal(openAndCount(path), 2);
  }
  deepEqual(folder.names()!.filter((name) => name !== "runs"), ["history.sqlite"]);
});

Deno.test("a rebuild that fails leaves the old history", async () => {
  const { folder, path } = await nights();
  await using _folder = folder;
  await rejects(rebuildHistory(path, [join(folder.path, "gone")]), { name: "InputError" });
  equal(openAndCount(path), 3);
  deepEqual(folder.names()!, ["history.sqlite", "runs"]);
});

Deno.test("a history of another version, another program's and a damaged one are refused", async () => {
  const { folder, path } = await nights();
  await using _folder = folder;
  const other = join(folder.path, "other.sqlite");
  const made = new DatabaseSync(other);
  made.exec("CREATE TABLE a (b)");
  made.close();
  throws(() => openHistory(other, "create"), { name: "InputError", message: /it is no history of kvcompress$/ });
  const old = new DatabaseSync(path);
  old.exec("PRAGMA user_version = 99");
  old.close();
  throws(() => openHistory(path, "read"), {
    name: "InputError",
    message: /it is of version 99, this is 1; deno task history rebuild/,
  });
  await Deno.writeTextFile(path, "not a database, but a long text of more than a hundred bytes ".repeat(10));
  throws(() => openHistory(path, "read"), { name: "InputError", message: /not a database; remove it/ });
  throws(() => openHistory(join(folder.path, "gone"), "read"), {
    name: "InputError",
    message: /there is no such file/,
  });
});

Deno.test("runs are found by night, commit and last", async () => {
  const { folder, open, folders } = await nights();
  await using _folder = folder;
  using history = open();
  const files = folders.map((folder) => join(folder, "results.json"));
  deepEqual(filesOfNight(history, "2026-11-02"), [files[1]]);
  deepEqual(filesOfNight(history, "2026-12-02"), []);
  const commit = String(history.prepare("SELECT git_commit FROM runs WHERE file = ?").get(files[2]!)!["git_commit"]);
  deepEqual(filesOfCommit(history, commit), [files[2]]);
  throws(() => filesOfCommit(history, "aaaaaa"), {
    message: /^Cannot find the commit aaaaaa: 3 commits begin so, a+, /,
  });
  deepEqual(filesOfCommit(history, "aaa"), []);
  deepEqual(filesOfCommit(history, "a*"), []);
  deepEqual(lastFiles(history, []), [files[2]]);
  deepEqual(lastFiles(history, [files[2]!]), [files[1]]);
  deepEqual(nightsBefore(history, "2026-11-03", 7), ["2026-11-01", "2026-11-02"]);
  deepEqual(nightsBefore(history, "2026-11-03", 1), ["2026-11-02"]);
});

Deno.test("a night has the date of its evening", () => {
  const night = (stamp: string) => momentOf(stamp)?.night;
  deepEqual(
    ["20261124_120000", "20261124_235959", "20261125_000000", "20261125_115959"].map(night),
    Array(4).fill("2026-11-24"),
  );
  equal(night("20261124_115959"), "2026-11-23");
  equal(night("20260101_030000"), "2025-12-31");
  equal(momentOf("yesterday"), undefined);
  equal(momentOf("20261399_990000"), undefined);
  equal(momentOf("20260701_120000", "America/New_York")?.started_utc, "2026-07-01 16:00:00Z");
  equal(momentOf("20260701_120000", "Nowhere/Town")?.started_utc, null);
});

Deno.test("the page's queries run and find what they are for", async () => {
  const { folder, path } = await nights();
  await using _folder = folder;
  const run = inventRounds({ baseline: [{}], streaming_64: [{}] }, { model_id: "novel-neox-8m" });
  for (const each of run.speed_runs!) each.conditions = { other_cores: 1.5, load_average: 2 };
  run.comparisons!["streaming_64"]!.quality!.ln_ppl_ratio.high = 0.01;
  await Deno.mkdir(join(folder.path, "runs/more"));
  await writeResults(join(folder.path, "runs/more"), run);
  await addToHistory(path, foldersOf(path));
  const queries = [...PAGE.matchAll(/```sql\n([^]*?)```/g)].map(([, query]) => query!);
  ok(queries.length >= 5);
  using history = openHistory(path, "read");
  for (const query of queries) {
    equal(query.trim().split("\n").length, 3, query);
    ok(history.prepare(query).all().length > 0, query);
  }
});

Deno.test("the page names every column of runs and processes, and the tables", () => {
  const missing = Object.entries({ runs: TABLES.runs, processes: TABLES.processes })
    .flatMap(([, columns]) => Object.keys(columns)).filter((name) => !PAGE.includes(`\`${name}\``));
  deepEqual(missing, []);
  for (const table of [...Object.keys(TABLES), "folders"]) ok(PAGE.includes(`\`${table}\``), table);
});

Deno.test("exports hold what the history holds", async () => {
  const { folder, open } = await nights();
  await using _folder = folder;
  using history = open();
  for (const table of Object.keys(TABLES) as (keyof typeof TABLES)[]) {
    const { columns, records } = exportTable(history, table);
    ok(records.length >= 3);
    const lines = String(exportHistory(history, "jsonl", table)).split("\n").map((line) => JSON.parse(line));
    deepEqual(lines, records.map((record) => ({ ...record })));
    const csv = String(exportHistory(history, "csv", table)).split("\n");
    equal(csv[0], Object.keys(columns).join(","));
    equal(csv.length, records.length + 1);
    const bytes = exportHistory(history, "parquet", table) as Uint8Array<ArrayBuffer>;
    const read = await parquetReadObjects({ file: bytes.buffer });
    deepEqual(
      read.map((record) =>
        Object.fromEntries(
          Object.entries(record).map((
            [name, value],
          ) => [name, typeof value === "bigint" ? Number(value) : value ?? null]),
        )
      ),
      records.map((record) => ({ ...record })),
    );
  }
});

Deno.test("the export for github-action-benchmark has each cell's last figures under unique names", async () => {
  const { folder, path, open } = await nights();
  await using _folder = folder;
  // The same names at another length, and a failure.
  const longer = inventNights(1, 1, WORLD)[0]!;
  longer.config.prompt_tokens = 999;
  await Deno.mkdir(join(folder.path, "runs/longer"));
  await writeResults(join(folder.path, "runs/longer"), longer);
  await Deno.mkdir(join(folder.path, "runs/failed"));
  await writeResults(join(folder.path, "runs/failed"), inventResults({ baseline: "Out of memory" }));
  await addToHistory(path, foldersOf(path));
  using history = open();
  const smaller = JSON.parse(String(exportHistory(history, "github-smaller", "runs")));
  equal(new Set(smaller.map(({ name }: { name: string }) => name)).size, smaller.length);
  for (const { name, unit, value, range, extra, ...rest } of smaller) {
    ok(typeof name === "string" && typeof unit === "string" && Number.isFinite(value) && typeof extra === "string");
    ok(range === undefined || typeof range === "string");
    deepEqual(rest, {});
  }
  const tpot = smaller.filter(({ name }: { name: string }) => /streaming_64 .*: TPOT$/.test(name));
  equal(tpot.length, 2);
  const last = history.prepare(
    "SELECT tpot_s FROM rows JOIN runs ON run = id WHERE name = 'streaming_64' AND night = '2026-11-03'",
  ).get();
  ok(tpot.some(({ value }: { value: number }) => value === last!["tpot_s"]));
  const bigger = JSON.parse(String(exportHistory(history, "github-bigger", "rows")));
  deepEqual(new Set(bigger.map(({ unit }: { unit: string }) => unit)), new Set(["tokens/s", "share"]));
});

Deno.test("list and show fit a line, and say what they leave out", async () => {
  const { folder, open, folders } = await nights();
  await using _folder = folder;
  using history = open();
  const list = listText(history, { limit: 2, width: 80 });
  match(list, /^Run +Started +Night +Model +Host +Commit +Done +Not\n/);
  match(list, /2026-11-04 02:00 +2026-11-03 +pythia-2\.8b +node1 +aaaaaaa +8 +0\n/);
  match(list, /\n1 earlier runs are not shown: --limit$/);
  for (const line of list.split("\n")) ok(line.length <= 80, line);
  const shown = showText(history, "1", { limit: 50, width: 80 });
  equal(shown, showText(history, folders[0]!, { limit: 50, width: 80 }));
  match(shown, /^Run 1\nfile +\S+results\.json\n/);
  match(shown, /\nstreaming_64 /);
  const series = String(history.prepare("SELECT series FROM rows WHERE name = 'streaming_64'").get()!["series"]);
  const cell = showText(history, series.slice(0, 8), { limit: 50, width: 80 });
  match(cell, /^streaming_64: pythia-2\.8b, pg19, float32, cpu\n/);
  equal(cell.match(/^2026-11-0\d 02:00 aaaaaaa/gm)?.length, 3);
  throws(() => showText(history, "99", { limit: 50, width: 80 }), {
    message: /^Cannot show 99: there is no such run or series/,
  });
});
