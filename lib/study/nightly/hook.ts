import { fromUserFolder } from "../../process/user_folder.ts";
import { readLines, spawnDeno } from "../../process/deno_child.ts";
import { fault, type FlagReader } from "../../flags/values.ts";

/** A program with its arguments, which no shell reads. */
export interface HookCommand {
  /** Absolute path of the program. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
}

/** What a hook is told. */
export interface HookCall {
  /** Variables for it, by name. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for its standard input. */
  readonly input: string;
  /** Takes each line that it prints. */
  readonly onLine: (line: string) => void;
}

/** Any of the rights to run a file. */
const MAY_RUN = 0o111;

/**
 * Reads `--hook`: a path, or a JSON list of a path and arguments. The program must be there.
 *
 * @example
 * ```ts
 * import { hookCommand } from "./hook.ts";
 *
 * console.log(hookCommand("hook", '["/bin/echo", "a b"]')); // { program: "/bin/echo", args: [ "a b" ] }
 * ```
 *
 * @param flag The flag's name.
 * @param text Its value.
 * @throws {InputError} If it is no such list, or the program is missing or no program.
 */
export const hookCommand: FlagReader<HookCommand> = (flag, text) => {
  const [path, ...args] = text.startsWith("[") ? listOf(flag, text) : [text];
  if (path === undefined || path === "") throw fault(flag, text, "give a program's path first");
  const program = fromUserFolder(path);
  // Deno separates programs that may be run by commas.
  if (program.includes(",")) throw fault(flag, text, "give a path without a comma");
  const why = whyNot(program);
  if (why !== undefined) throw fault(flag, text, `${why}; give the path of a program, or ["PATH", "ARGUMENT", …]`);
  return { program, args };
};

function listOf(flag: string, text: string): string[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((each) => typeof each === "string")) return list;
  } catch {
    // It is no JSON.
  }
  throw fault(flag, text, 'give a list of texts, as in ["/usr/local/bin/alert", "gpu"]');
}

function whyNot(program: string): string | undefined {
  try {
    const { isFile, mode } = Deno.statSync(program);
    if (!isFile) return `${program} is no file`;
    return mode !== null && (mode & MAY_RUN) === 0 ? `${program} may not be run (chmod +x)` : undefined;
  } catch {
    return `there is no ${program}`;
  }
}

/**
 * Runs a hook, and waits for its end, at most five minutes. It is started by a process that may run this one program and
 * nothing else.
 *
 * @example
 * ```ts
 * import { type HookCommand, runHook } from "./hook.ts";
 *
 * const tell = (hook: HookCommand) =>
 *   runHook(hook, { env: { KVCOMPRESS_NIGHT: "2026-11-24" }, input: "{}", onLine: console.log });
 * ```
 *
 * @param hook The command.
 * @param call What it is told.
 * @returns Its exit code; 124 if it took too long, 126 if it could not be started.
 */
export async function runHook({ program, args }: HookCommand, { env, input, onLine }: HookCall): Promise<number> {
  const child = spawnDeno({
    script: import.meta.resolve("./hook_main.ts"),
    permissions: [`--allow-run=${program}`],
    args: [program, ...args],
    set: env,
  });
  const [, , , { code }] = await Promise.all([
    // A hook need not read what it is told.
    new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
    readLines(child.stdout, onLine),
    readLines(child.stderr, onLine),
    child.status,
  ]);
  return code;
}
