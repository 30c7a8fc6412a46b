/** The exit code of the process that looks: all launchers are there, and it is not needed any more. */
export const ALL_THERE = 3;

/** A process of the system. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Tells it apart from a later process of the same id. */
  readonly startedAt: string;
  /** Its arguments, the program first. */
  readonly command: readonly string[];
}

/**
 * The processes that launched another and have nothing to do but wait for it: from its parent up, `deno task`, npm or npx,
 * and a shell between these. What stands above them, a person's shell or cron, is none: it may end before.
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
 * @param byNpm Whether npm launched it, `deno task` alone otherwise.
 * @returns The launchers; undefined where one was lost before anybody looked: it launched this, and is not there.
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
  // Whoever loses its parent is given to the system's first process, or to the one that tends a user's session.
  const isLost = above === undefined || above.pid === 1 || /(^|\/)(systemd|init)$/.test(above.command[0] ?? "");
  return isLost ? undefined : found;
}

function isLauncher(command: readonly string[]): boolean {
  return isNpm(command) || isDenoTask(command);
}

/** npm and npx name themselves "npm exec …"; before they have, they are a script of node's. */
function isNpm([program = "", script = ""]: readonly string[]): boolean {
  return /^(npm|npx|pnpm|yarn)( |$)/.test(program) || /\/(npm|npx)(-cli\.js)?$/.test(script);
}

/** `deno task …`, or the script of its npm package that starts it. */
function isDenoTask([program = "", ...args]: readonly string[]): boolean {
  if (/(^|\/)deno$/.test(program)) return args.includes("task");
  return /\/deno\/bin\.cjs$|\/\.bin\/deno$/.test(args[0] ?? "");
}

function isShellCommand([program = "", flag]: readonly string[]): boolean {
  return /(^|\/)(ba|da|z)?sh$/.test(program) && flag === "-c";
}
