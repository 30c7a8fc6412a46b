/**
 * Runs one program: its path and arguments follow this process's first argument. Standard input and output are its own.
 *
 * @module
 */

/** Longest time that a hook may take, ms. */
const PATIENCE_MS = 300_000;
const TOO_LONG = 124;
const NOT_STARTED = 126;

if (import.meta.main) {
  const [, program = "", ...args] = Deno.args;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, { args, stdin: "inherit", stdout: "inherit", stderr: "inherit" }).spawn();
  } catch (error) {
    console.error(`Cannot run ${program}: ${(error as Error).message}`);
    Deno.exit(NOT_STARTED);
  }
  const timer = setTimeout(() => {
    console.error(`${program} took more than ${PATIENCE_MS / 1000} s`);
    child.kill("SIGKILL");
    Deno.exit(TOO_LONG);
  }, PATIENCE_MS);
  const { code } = await child.status;
  clearTimeout(timer);
  Deno.exit(code);
}
