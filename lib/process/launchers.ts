/** Exit code of the watching process if all launchers run and it is not needed. */
export const ALL_THERE = 3;

/** A process of the system. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Distinguishes it from a later process with the same id. */
  readonly startedAt: string;
  /** Its arguments, the program first. */
  readonly command: readonly string[];
}

/**
 * Returns the launchers of a process, which only wait for it: from its parent up, `deno task`, npm or npx, and a shell
 * between these. The processes above them, such as a user's shell or cron, are not launchers: they may end earlier.
 *
 * @example
 * ```ts
 * import { launchersOf } from "./launchers.ts";
 *
 * const processes = [
 *   { pid: 5, parent: 4, startedAt: "9", command: ["deno", "run", "bench/kv_cache.ts"] },
 *   { pid: 4, parent: 3, startedAt: "8", command: ["deno", "task", "bench"] },
 *   { pid: 3, parent: 2, startedAt: "7", command: ["npm exec deno@2.9.6 task bench"] },
 *   { pid: 2, parent: 1, startedAt: "1", command: ["bash"] },
 * ];
 * const found = launchersOf(5, (pid) => processes.find((process) => process.pid === pid), true);
 * console.log(found?.map(({ pid }) => pid)); // [ 4, 3 ]
 * ```
 *
 * @param pid The process that was launched.
 * @param look Finds a process by its id.
 * @param byNpm Whether npm launched it; otherwise `deno task` alone did.
 * @returns The launchers; undefined if one had already ended before this check.
 */
export function launchersOf(
  pid: number,
  look: (pid: number) => Process | undefined,
  byNpm = false,
): Process[] | undefined {
  const found: Process[] = [];
  let shells: Process[] = [];
  let above = look(look(pid)?.parent ?? 0);
  for (; above !== undefined; above = look(above.parent)) {
    if (isLauncher(above.command)) {
      found.push(...shells, above);
      shells = [];
    } else if (isShellCommand(above.command)) shells.push(above);
    else break;
  }
  if (byNpm ? found.some(({ command }) => isNpm(command)) : found.length > 0) return found;
  // An orphan's new parent is the system's first process, or the one that manages the user's session.
  const isLost = above === undefined || above.pid === 1 || /(^|\/)(systemd|init)$/.test(above.command[0] ?? "");
  return isLost ? undefined : found;
}

function isLauncher(command: readonly string[]): boolean {
  return isNpm(command) || isDenoTask(command);
}

/** npm and npx rename themselves to "npm exec …"; before that, they appear as a script run by node. */
function isNpm([program = "", script = ""]: readonly string[]): boolean {
  return /^(npm|npx|pnpm|yarn)( |$)/.test(program) || /\/(npm|npx)(-cli\.js)?$/.test(script);
}

/** `deno task …`, or the script in deno's npm package that starts it. */
function isDenoTask([program = "", ...args]: readonly string[]): boolean {
  if (/(^|\/)deno$/.test(program)) return args.includes("task");
  return /\/deno\/bin\.cjs$|\/\.bin\/deno$/.test(args[0] ?? "");
}

function isShellCommand([program = "", flag]: readonly string[]): boolean {
  return /(^|\/)(ba|da|z)?sh$/.test(program) && flag === "-c";
}
