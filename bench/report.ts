/**
 * `deno task report FOLDER...`: prints the tables of earlier runs again and redraws their pictures, from results.json.
 *
 * Exit codes: 0 all pictures were drawn; 1 one or more were not; 2 a folder without results, or wrong input, before
 * anything was printed or drawn.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { join } from "@std/path";
import { drawInChild } from "../lib/report/charts/draw_child.ts";
import { picturesFor } from "../lib/report/charts/pictures_for.ts";
import { readResults, RESULTS_FILE } from "../lib/report/results/results_file.ts";
import { isTraceFile } from "../lib/report/results/trace.ts";
import { formatResults, FORMATS } from "../lib/report/tables/formats/format_results.ts";
import { terminalColumns } from "../lib/cli/progress/terminal_columns.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { fromUserFolder } from "../lib/process/user_folder.ts";
import { InputError } from "../lib/util/errors.ts";
import { printableLines } from "../lib/util/printable.ts";
import { runScript } from "../lib/cli/run_script.ts";

const USAGE = `Usage: deno task report [--memory] [-o FORMAT] FOLDER...

Prints the tables of each run again and redraws its pictures. A folder is that of a run, with its results.json.

  --memory      print where memory goes, too
  -o FORMAT     one of ${FORMATS.join(", ")} (default table)
  --no_chart    draw nothing
  --help        print this`;

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Reports the runs that `argv` names, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const args = parseArgs([...argv], {
    boolean: ["memory", "no_chart", "help", "h"],
    string: ["o"],
    unknown: (arg: string) => {
      if (!arg.startsWith("-")) return true;
      throw new InputError(`Cannot read ${arg}: the flags are --memory, -o, --no_chart and --help`);
    },
  });
  if (args.help || args.h) {
    out.line(USAGE);
    return 0;
  }
  const format = FORMATS.find((format) => format === (args.o ?? "table"));
  if (format === undefined) throw new InputError(`Cannot print as ${args.o}: give one of ${FORMATS.join(", ")}`);
  const folders = args._.map((folder) => fromUserFolder(String(folder)));
  if (folders.length === 0) {
    throw new InputError("Cannot report: no folder is given; name that of a run, as in deno task report results/RUN");
  }
  const runs = [];
  for (const folder of folders) runs.push({ folder: await runFolder(folder), results: await readResults(folder) });

  let isDrawn = true;
  for (const { folder, results } of runs) {
    if (runs.length > 1) out.line(`${runs[0]!.folder === folder ? "" : "\n"}${folder}`);
    const terminal = Deno.stdout.isTerminal() ? { columns: terminalColumns() } : {};
    out.line(formatResults(results, format, { memory: args.memory === true, ...terminal }));
    if (results.raw_results.length === 0 || args.no_chart) continue;
    const traces = [...Deno.readDirSync(folder)].some(({ name }) => isTraceFile(name));
    const plotNll = results.raw_results.some(({ nll }) => nll.length > 0);
    for (const picture of picturesFor(results, { plotNll, traces })) {
      const drawn = await drawInChild(join(folder, RESULTS_FILE), picture);
      if ("warning" in drawn) err.line(printableLines(drawn.warning));
      else for (const path of drawn.paths) err.line(`Picture: ${path}`);
      isDrawn &&= !("warning" in drawn);
    }
  }
  return isDrawn ? 0 : 1;
}

/** Checks that a path is a folder. */
async function runFolder(path: string): Promise<string> {
  const found = await Deno.stat(path).catch(() => undefined);
  if (found?.isDirectory) return path;
  const what = found === undefined ? "there is no such folder" : "it is a file";
  throw new InputError(`Cannot report ${path}: ${what}; name the folder of a run, which holds its ${RESULTS_FILE}`);
}

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
