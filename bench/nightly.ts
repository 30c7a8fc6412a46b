/**
 * `deno task nightly PLAN`: a sweep for tonight, its comparison with earlier nights, a page, old nights removed. Prints
 * one line, for a mail; progress is in a log.
 *
 * Exit codes: 0 nothing is worse; 3 a regression; 1 something failed; 2 wrong input; 130 Ctrl-C, 143 SIGTERM and 129
 * SIGHUP.
 *
 * @module
 */
import { runScript } from "../lib/cli/run_script.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { nightly } from "../lib/study/nightly/nightly_command.ts";

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

if (import.meta.main) {
  await runScript(() => nightly(Deno.args, { out, err, script: import.meta.resolve("./kv_cache.ts") }), out, err);
}
