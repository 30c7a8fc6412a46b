/**
 * `deno task page FOLDER...`: makes one HTML page of the results.json of many runs.
 *
 * Exit codes: 0 the page was written; 1 it was, but without files that could not be read; 2 there are no results, or
 * wrong input.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { writePage } from "../lib/study/page/write_page.ts";
import { runScript } from "../lib/cli/run_script.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { fromUserFolder } from "../lib/process/user_folder.ts";
import { InputError } from "../lib/util/errors.ts";
import { byteCount } from "../lib/util/byte_count.ts";
import { printable, printableLines } from "../lib/util/printable.ts";

const USAGE = `Usage: deno task page [--output FILE] FOLDER...

Makes one HTML page of every results.json in the folders and below: frontier, table, history. It fetches nothing.

  --output FILE   the page (default report.html)
  --help          print this`;

const DEFAULT = "report.html";

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Makes the page that `argv` asks for, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const args = parseArgs([...argv], {
    boolean: ["help", "h"],
    string: ["output"],
    unknown: (arg: string) => {
      if (!arg.startsWith("-")) return true;
      throw new InputError(`Cannot read ${printable(arg)}: the flags are --output and --help`);
    },
  });
  if (args.help || args.h) {
    out.line(USAGE);
    return 0;
  }
  if (args.output === "" || Array.isArray(args.output)) {
    throw new InputError(`Cannot read --output: give one file, as in --output ${DEFAULT}`);
  }
  const folders = args._.map((folder) => fromUserFolder(String(folder)));
  if (folders.length === 0) {
    throw new InputError("Cannot make a page: no folder is given; name one with runs, as in deno task page results");
  }
  const output = fromUserFolder(args.output ?? DEFAULT);
  const { rows, runs, bytes, skipped } = await writePage(folders, output);
  for (const { reason } of skipped) err.line(printableLines(`Left out: ${reason}`));
  err.line(`${rows} row${rows === 1 ? "" : "s"} of ${runs} run${runs === 1 ? "" : "s"}, ${byteCount(bytes)}`);
  out.line(output);
  return skipped.length > 0 ? 1 : 0;
}

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
