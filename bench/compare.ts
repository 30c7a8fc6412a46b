/**
 * `deno task compare A B`: tells what became worse, better or stayed the same, for each metric of each cell.
 *
 * Exit codes: 0 nothing is worse; 3 something is worse, or does not reproduce; 2 wrong input.
 *
 * @module
 */
import { terminalColumns } from "../lib/cli/progress/terminal_columns.ts";
import { runScript } from "../lib/cli/run_script.ts";
import { readFlags } from "../lib/flags/read.ts";
import { splitWords } from "../lib/flags/words.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { fromUserFolder } from "../lib/process/user_folder.ts";
import { COMPARE_FLAGS, type CompareFlags, compareHelp } from "../lib/study/compare/compare_flags.ts";
import { compareSets, exitCodeOf } from "../lib/study/compare/compare_sets.ts";
import { formatComparison } from "../lib/study/compare/format_comparison.ts";
import { resolveSides } from "../lib/study/compare/resolve_side.ts";
import { InputError } from "../lib/util/errors.ts";
import { printableLines } from "../lib/util/printable.ts";

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Compares what `argv` names, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const { words, flags: given } = splitWords(argv, COMPARE_FLAGS);
  const { flags } = readFlags<CompareFlags>(given, COMPARE_FLAGS, "--min_time 3%");
  if (flags.help) {
    out.line(compareHelp());
    return 0;
  }
  const [a, b, ...more] = words;
  if (a === undefined || b === undefined || more.length > 0) {
    throw new InputError(
      `Cannot compare: ${words.length} names are given; give two, as in deno task compare last results/RUN`,
    );
  }
  const { min_time, min_quality, min_memory, drift, format, all } = flags;
  const sides = await resolveSides(a, b, {
    history: fromUserFolder(flags.history),
    toPath: fromUserFolder,
    onSkipped: ({ reason }) => err.line(printableLines(`Skipped: ${reason}`)),
  });
  const comparison = compareSets(sides.a, sides.b, { min_time, min_quality, min_memory, drift });
  const width = Deno.stdout.isTerminal() ? terminalColumns() : 80;
  out.line(formatComparison(comparison, format, { all, width }));
  return exitCodeOf(comparison.summary);
}

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
