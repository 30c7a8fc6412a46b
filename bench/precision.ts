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
import { runScript } from "../lib/cli/run_script.ts";

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

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
