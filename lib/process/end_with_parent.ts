/** Time between two checks for the parent, ms. */
const LOOK_MS = 500;

/**
 * Ends this process soon after its parent ends, for any reason: a killed parent cannot end its children. The parent's
 * id is the child's first argument, set by spawnDeno().
 *
 * This needs the event loop. A process that spends long in native code also uses {@linkcode killWithParent}.
 *
 * @example
 * ```ts
 * import { endWithParent } from "./end_with_parent.ts";
 *
 * endWithParent(Deno.ppid); // does not keep the process alive
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
