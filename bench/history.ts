/**
 * `deno task history rebuild|add|list|show|export`: an index of all runs' results.json files in SQLite.
 *
 * Exit codes: 0 done; 1 one or more files are damaged or another program's, and are left out; 2 wrong input.
 *
 * @module
 */
import { dirname } from "@std/path";
import { terminalColumns } from "../lib/cli/progress/terminal_columns.ts";
import { runScript } from "../lib/cli/run_script.ts";
import { readFlags } from "../lib/flags/read.ts";
import { splitWords } from "../lib/flags/words.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { fromUserFolder } from "../lib/process/user_folder.ts";
import { exportHistory } from "../lib/study/history/export/export_table.ts";
import { HISTORY_FLAGS, type HistoryFlags, historyHelp } from "../lib/study/history/history_flags.ts";
import { listText, showText } from "../lib/study/history/history_text.ts";
import { openHistory } from "../lib/study/history/open_history.ts";
import { addToHistory, foldersOf, rebuildHistory } from "../lib/study/history/update_history.ts";
import { InputError } from "../lib/util/errors.ts";
import { printableLines } from "../lib/util/printable.ts";
import { writeAtomic } from "../lib/util/write_atomic.ts";

const VERBS = ["rebuild", "add", "list", "show", "export"] as const;

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Does what `argv` asks for, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const { words: [word, ...words], flags: given } = splitWords(argv, HISTORY_FLAGS);
  const { flags } = readFlags<HistoryFlags>(given, HISTORY_FLAGS, "--limit 50");
  if (flags.help) {
    out.line(historyHelp());
    return 0;
  }
  const verb = VERBS.find((verb) => verb === word);
  const path = fromUserFolder(flags.history);
  if (verb === "rebuild" || verb === "add") return await update(verb, path, words.map(fromUserFolder));
  const wanted = verb === "show" ? 1 : 0;
  if (verb === undefined || words.length !== wanted) throw wrong(word, words);
  const history = openHistory(path, "read");
  try {
    const width = Deno.stdout.isTerminal() ? terminalColumns() : 80;
    if (verb === "list") out.line(printableLines(listText(history, { limit: flags.limit, width })));
    else if (verb === "show") {
      out.line(printableLines(showText(history, runOf(words[0]!), { limit: flags.limit, width })));
    } else await write(exportHistory(history, flags.format, flags.table), flags.to);
  } finally {
    history.close();
  }
  return 0;
}

/** Makes the history anew, or brings it up to date. */
async function update(verb: "rebuild" | "add", path: string, given: readonly string[]): Promise<number> {
  if (verb === "add" && given.length === 0) throw new InputError("Cannot add runs: name their folders");
  const folders = given.length > 0 ? given : isThere(path) ? foldersOf(path) : [dirname(path)];
  const done = await (verb === "add" ? addToHistory : rebuildHistory)(path, folders);
  for (const { reason } of done.skipped) err.line(printableLines(`Skipped: ${reason}`));
  out.line(
    `${path}: ${done.added} added, ${done.changed} changed, ${done.unchanged} unchanged, ${done.removed} removed, ` +
      `${done.skipped.length} skipped`,
  );
  return done.skipped.length > 0 ? 1 : 0;
}

/** Writes an export to a file, or to standard output. */
async function write(content: string | Uint8Array, to: string | undefined): Promise<void> {
  if (to !== undefined) {
    const file = fromUserFolder(to);
    try {
      await writeAtomic(file, typeof content === "string" ? `${content}\n` : content);
    } catch (cause) {
      throw new InputError(`Cannot write ${file}: ${(cause as Error).message}`, { cause });
    }
  } else if (typeof content === "string") out.line(content);
  else throw new InputError("Cannot write Parquet to standard output: name a file with --to");
}

/** A run's number or a series stays; anything with a slash, or a folder, is a path. */
function runOf(word: string): string {
  return word.includes("/") || isThere(fromUserFolder(word)) ? fromUserFolder(word) : word;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function wrong(word: string | undefined, words: readonly string[]): InputError {
  const verbs = `give one of ${VERBS.join(", ")}`;
  if (word === undefined) return new InputError(`Cannot tell what to do with the history: ${verbs}`);
  if (!VERBS.some((verb) => verb === word)) return new InputError(`Cannot ${word} the history: ${verbs}`);
  return new InputError(
    word === "show"
      ? "Cannot show: give one run's number, its folder, or a series"
      : `Cannot ${word} ${words.join(" ")}: ${word} takes no names`,
  );
}

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
