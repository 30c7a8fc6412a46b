/**
 * `deno task precision`: measures one model in float32, float16 and bfloat16, side by side: speed, memory, quality, and
 * the distance from float32. Prints tables, and writes results.json and a chart.
 *
 * Exit codes: those of `deno task bench`.
 *
 * @module
 */
import { parsePrecisionFlags, precisionHelp } from "../lib/cli/flags/precision_flags.ts";
import { planPrecision } from "../lib/cli/plan_precision.ts";
import { runAndReport } from "../lib/cli/run_and_report.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { InputError } from "../lib/util/errors.ts";
import { printableLines } from "../lib/util/printable.ts";

/** Longest wait for the last notes to be written, ms. */
const PATIENCE_MS = 2000;

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Runs the benchmark that `argv` describes, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const flags = parsePrecisionFlags(argv);
  if (flags.help) {
    out.line(precisionHelp());
    return 0;
  }
  const { format, memory } = flags;
  return await runAndReport({ prepare: (tools) => planPrecision(flags, tools), format, memory, out, err });
}

if (import.meta.main) {
  let code = 2;
  try {
    code = await main(Deno.args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    err.line(printableLines(error.message));
  }
  const problem = await out.flushed();
  if (problem) err.line(`Cannot write to standard output: ${problem.message}`);
  await err.flushed(PATIENCE_MS);
  // A write that waits for a reader would keep the process alive.
  Deno.exit(code || (problem ? 1 : 0));
}
