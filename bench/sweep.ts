/**
 * `deno task sweep PLAN`: many runs of the benchmark by a plan: models x methods x budgets x texts x lengths. Finished
 * cells are kept whatever happens; the same command goes on. Several processes and machines may work on one folder.
 *
 * Exit codes: 0 all cells are done; 1 one or more failed or are left; 2 wrong input, before anything was measured; 130
 * Ctrl-C, 143 SIGTERM and 129 SIGHUP.
 *
 * @module
 */
import { runScript } from "../lib/cli/run_script.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { collectSweep } from "../lib/study/slurm/collect.ts";
import { sweepStatus } from "../lib/study/slurm/status.ts";
import { submit } from "../lib/study/slurm/submit.ts";
import { sweep, type SweepTools } from "../lib/study/work/sweep_command.ts";

const tools: SweepTools = {
  out: new Outlet(Deno.stdout),
  err: new Outlet(Deno.stderr),
  script: import.meta.resolve("./kv_cache.ts"),
};

/** What the first argument may be; otherwise it is a plan, which is run. Each returns the exit code. */
const VERBS: Readonly<Record<string, (argv: readonly string[], tools: SweepTools) => Promise<number>>> = {
  run: sweep,
  submit: (argv, tools) => submit(argv, { ...tools, sweep: import.meta.url }),
  status: sweepStatus,
  collect: collectSweep,
};

/** Does what `argv` says, and returns the exit code. */
async function main([first = "", ...rest]: readonly string[]): Promise<number> {
  const verb = Object.hasOwn(VERBS, first) ? VERBS[first] : undefined;
  return verb === undefined ? await sweep(first === "" ? [] : [first, ...rest], tools) : await verb(rest, tools);
}

if (import.meta.main) await runScript(() => main(Deno.args), tools.out, tools.err);
