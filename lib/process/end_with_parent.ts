/** Between two looks at whether the parent is there, ms. */
const LOOK_MS = 500;

/**
 * Ends this process soon after the one that started it, however that ended: a killed parent can kill nobody. The child's
 * first argument is the parent's id, as spawnDeno() gives it.
 *
 * This takes the event loop. A process that is in native code for long has {@linkcode killWithParent} as well.
 *
 * @example
 * ```ts
 * import { endWithParent } from "./end_with_parent.ts";
 *
 * endWithParent(Deno.ppid); // keeps no process alive
 * ```
 *
 * @param parent The parent's process id.
 */
export function endWithParent(parent: number = Number(Deno.args[0])): void {
  const look = () => {
    if (Deno.ppid !== parent) Deno.exit(1);
  };
  look();
  Deno.unrefTimer(setInterval(look, LOOK_MS));
}
