import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { dirname } from "@std/path";
import { readJson } from "../../report/results/read_json.ts";
import { benchmarkResults } from "../../report/results/results_reader.ts";
import { InputError } from "../../util/errors.ts";
import { syncFolder } from "../../util/write_atomic.ts";
import { resultFiles, type SkippedFile } from "../find_results.ts";
import { openHistory } from "./open_history.ts";
import { type FileState, type RunRecords, runRecords } from "./run_record.ts";
import { type Columns, PROCESS_COLUMNS, ROW_COLUMNS, RUN_COLUMNS } from "./schema.ts";

/** What an update did, in files. */
export interface HistoryUpdate {
  /** Read for the first time. */
  added: number;
  /** Read again, because their content changed. */
  changed: number;
  /** Not read: size and time of the last change are the same. */
  unchanged: number;
  /** Taken out: no longer in the folders. */
  removed: number;
  /** Damaged, or another program's. */
  skipped: SkippedFile[];
}

/**
 * Makes a history from nothing: reads every results.json in some folders. It is written into another file and renamed, so
 * that a reader sees the old one or the whole new one.
 *
 * @example
 * ```ts
 * import { rebuildHistory } from "./update_history.ts";
 *
 * const remake = async () => (await rebuildHistory("results/history.sqlite", ["/data/results"])).added;
 * ```
 *
 * @param path The history's file; its folder exists.
 * @param folders Absolute paths of folders, or results.json files. They are kept in the history.
 * @returns What was done.
 * @throws {InputError} If a folder does not exist, or the history cannot be written.
 */
export async function rebuildHistory(path: string, folders: readonly string[]): Promise<HistoryUpdate> {
  const temporary = `${path}.${Deno.pid}.tmp`;
  try {
    const files = await resultFiles(folders);
    const history = openHistory(temporary, "create");
    // Nobody reads this file before it is renamed: waiting for the disk after each run would take most of the time.
    history.exec("PRAGMA synchronous = OFF");
    const update = await fill(history, folders, files);
    {
      using file = await Deno.open(temporary, { read: true, write: true });
      await file.sync();
    }
    // The journal of a process that was killed belongs to the old file: SQLite would play it back into the new one.
    await Deno.remove(`${path}-journal`).catch(() => {});
    await Deno.rename(temporary, path);
    await syncFolder(dirname(path));
    return update;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.IsADirectory
      ? new InputError(`Cannot write ${path}: ${error.message}`, { cause: error })
      : error;
  }
}

/**
 * Brings a history up to date: adds what is new in some folders, reads again what changed, and takes out what is gone
 * from them. A file of the same size and time of change is not read.
 *
 * @example
 * ```ts
 * import { addToHistory } from "./update_history.ts";
 *
 * const update = async () => (await addToHistory("results/history.sqlite", ["/data/results/tonight"])).added;
 * ```
 *
 * @param path The history's file; made if it does not exist.
 * @param folders Absolute paths of folders, or results.json files. They are kept in the history.
 * @returns What was done.
 * @throws {InputError} If a folder does not exist, or the history cannot be read.
 */
export async function addToHistory(path: string, folders: readonly string[]): Promise<HistoryUpdate> {
  const files = await resultFiles(folders);
  return await fill(openHistory(path, "create"), folders, files);
}

/** Brings an open history up to date, and closes it. */
async function fill(
  history: DatabaseSync,
  folders: readonly string[],
  files: readonly string[],
): Promise<HistoryUpdate> {
  const update: HistoryUpdate = { added: 0, changed: 0, unchanged: 0, removed: 0, skipped: [] };
  try {
    const keep = history.prepare("INSERT OR IGNORE INTO folders VALUES (?)");
    for (const folder of folders) keep.run(folder);
    const known = history.prepare("SELECT id, bytes, mtime_ms, sha256 FROM runs WHERE file = ?");
    for (const file of files) await take(history, known.get(file), file, update);
    update.removed = removeGone(history, folders, new Set(files));
  } finally {
    history.close();
  }
  return update;
}

/**
 * Returns the folders that a history was made from.
 *
 * @example
 * ```ts
 * import { foldersOf } from "./update_history.ts";
 *
 * const folders = () => foldersOf("results/history.sqlite");
 * ```
 *
 * @param path The history's file.
 * @throws {InputError} If it does not exist or cannot be read.
 */
export function foldersOf(path: string): string[] {
  const history = openHistory(path, "read");
  try {
    return history.prepare("SELECT path FROM folders ORDER BY path").all().map(({ path }) => String(path));
  } finally {
    history.close();
  }
}

/** Takes one file in, unless the history has it as it is. */
async function take(
  history: DatabaseSync,
  known: Record<string, unknown> | undefined,
  file: string,
  update: HistoryUpdate,
): Promise<void> {
  const info = await Deno.stat(file).catch(() => undefined);
  if (info === undefined) return;
  const { size: bytes } = info, mtime_ms = Math.floor(info.mtime?.getTime() ?? 0);
  if (known?.["bytes"] === bytes && known["mtime_ms"] === mtime_ms) {
    update.unchanged++;
    return;
  }
  try {
    const sha256 = createHash("sha256").update(await Deno.readFile(file)).digest("hex");
    if (known?.["sha256"] === sha256) {
      history.prepare("UPDATE runs SET bytes = ?, mtime_ms = ? WHERE id = ?").run(bytes, mtime_ms, Number(known["id"]));
      update.unchanged++;
      return;
    }
    const results = await readJson(file, benchmarkResults);
    const state: FileState = { file, bytes, mtime_ms, sha256 };
    write(history, runRecords(state, results), known?.["id"] as number | undefined);
    if (known === undefined) update.added++;
    else update.changed++;
  } catch (error) {
    if (!(error instanceof InputError) && !(error instanceof Deno.errors.PermissionDenied)) throw error;
    // A file that was good and is damaged now has no figures any more.
    if (known !== undefined) history.prepare("DELETE FROM runs WHERE id = ?").run(Number(known["id"]));
    const reason = error instanceof InputError ? error.message : `Cannot read ${file}: ${error.message}`;
    update.skipped.push({ file, reason });
  }
}

/** Writes a run with its rows and processes, all or nothing. A run that was there keeps its id. */
function write(history: DatabaseSync, { run, rows, processes }: RunRecords, id: number | undefined): void {
  history.exec("BEGIN IMMEDIATE");
  try {
    if (id !== undefined) history.prepare("DELETE FROM runs WHERE id = ?").run(id);
    insert(history, "runs", RUN_COLUMNS, { id: id ?? null }, [run]);
    const of = { run: Number(history.prepare("SELECT id FROM runs WHERE file = ?").get(run.file)!["id"]) };
    insert(history, "rows", ROW_COLUMNS, of, rows);
    insert(history, "processes", PROCESS_COLUMNS, of, processes);
    history.exec("COMMIT");
  } catch (error) {
    history.exec("ROLLBACK");
    throw error;
  }
}

type Value = string | number | null;

function insert(
  history: DatabaseSync,
  table: string,
  columns: Columns,
  first: Readonly<Record<string, Value>>,
  records: readonly Readonly<Record<string, Value>>[],
): void {
  const own = Object.keys(columns);
  const names = [...Object.keys(first), ...own];
  const insert = history.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => "?")})`);
  for (const record of records) insert.run(...Object.values(first), ...own.map((name) => record[name] ?? null));
}

/** Takes out runs whose files were in the folders and are gone. */
function removeGone(history: DatabaseSync, folders: readonly string[], files: ReadonlySet<string>): number {
  const isIn = (file: string) => folders.some((folder) => file === folder || file.startsWith(`${folder}/`));
  const gone = history.prepare("SELECT id, file FROM runs").all()
    .filter(({ file }) => isIn(String(file)) && !files.has(String(file)));
  for (const { id } of gone) history.prepare("DELETE FROM runs WHERE id = ?").run(Number(id));
  return gone.length;
}
