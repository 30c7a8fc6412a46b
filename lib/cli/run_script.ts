import type { Outlet } from "../process/outlet.ts";
import { InputError } from "../util/errors.ts";
import { printableLines } from "../util/printable.ts";

/** Longest wait for the last notes to be written, ms. */
const PATIENCE_MS = 2000;

/**
 * Runs a script's main function and ends the process: a user's mistake is one message and code 2, and all output is
 * written first, as long as its reader takes it.
 *
 * @example
 * ```ts
 * import { Outlet } from "../process/outlet.ts";
 * import { runScript } from "./run_script.ts";
 *
 * const [out, err] = [new Outlet(Deno.stdout), new Outlet(Deno.stderr)];
 * const start = () => runScript(() => Promise.resolve(0), out, err);
 * ```
 *
 * @param main Returns the exit code.
 * @param out Standard output. If it cannot be written, code 0 becomes 1.
 * @param err Standard error.
 * @throws What `main` throws, except an InputError.
 */
export async function runScript(main: () => Promise<number>, out: Outlet, err: Outlet): Promise<never> {
  let code = 2;
  try {
    code = await main();
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
