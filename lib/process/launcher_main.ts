/**
 * The process that watches the launchers of a benchmark: npx, the shell that npx starts, and `deno task`. It ends with
 * code 0 when one of them has ended; the benchmark, its parent, then ends too. If the only launcher is the benchmark's
 * own parent, it ends at once with {@linkcode ALL_THERE}. Linux only. It needs all permissions, because Deno requires
 * them to read /proc.
 *
 *     deno run -A lib/process/launcher_main.ts PARENT npm|task
 *
 * @module
 */
import { endWithParent } from "./end_with_parent.ts";
import { ALL_THERE, launchersOf, type Process } from "./launchers.ts";

/** Time between two checks, ms. */
const LOOK_MS = 500;

/** Reads a process from /proc; undefined if it has ended, zombies included. */
function look(pid: number): Process | undefined {
  try {
    // proc_pid_stat(5): the name is in parentheses and may hold anything.
    const [state, parent, ...rest] = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\)\s*/s, "").split(" ");
    if (state === "Z" || state === "X") return undefined;
    const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0").filter((part) => part !== "");
    return { pid, parent: Number(parent), startedAt: rest[17]!, command };
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  endWithParent();
  const found = launchersOf(Deno.ppid, look, Deno.args[1] === "npm");
  if (found === undefined) Deno.exit(0);
  // The benchmark itself watches its parent.
  if (found.length < 2) Deno.exit(ALL_THERE);
  setInterval(() => {
    const gone = found.some(({ pid, startedAt }) => look(pid)?.startedAt !== startedAt);
    if (gone) Deno.exit(0);
  }, LOOK_MS);
}
