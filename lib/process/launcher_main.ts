/**
 * The process that watches what launched a benchmark: npx, the shell it starts, `deno task`. It ends with code 0 when one
 * of them is gone; the benchmark, its parent, then ends too. Where there is nothing to watch but the benchmark's own
 * parent it ends at once, with {@linkcode ALL_THERE}. Linux only, and all permissions: Deno lets nobody with less read
 * /proc.
 *
 *     deno run -A lib/process/launcher_main.ts PARENT npm|task
 *
 * @module
 */
import { endWithParent } from "./end_with_parent.ts";
import { ALL_THERE, launchersOf, type Process } from "./launchers.ts";

/** Between two looks, ms. */
const LOOK_MS = 500;

/** A process as /proc tells of it; undefined where it is gone, or nobody but its parent has to bury it. */
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
  // The benchmark sees by itself when its parent is gone.
  if (found.length < 2) Deno.exit(ALL_THERE);
  setInterval(() => {
    const gone = found.some(({ pid, startedAt }) => look(pid)?.startedAt !== startedAt);
    if (gone) Deno.exit(0);
  }, LOOK_MS);
}
