import { fromFileUrl } from "@std/path";
import { envFor, LOADING_ENV, NETWORK_ENV } from "./child_env.ts";
import { isRemote, PROJECT } from "../util/project.ts";

/** What a child process of Deno's is started with. */
export interface DenoChildOptions {
  /** URL of the script. */
  readonly script: string;
  /** What it may do, as Deno's flags. */
  readonly permissions: readonly string[];
  /** Arguments of the script. */
  readonly args?: readonly string[];
  /** Names of the environment variables it gets, in addition to those that every child gets; see {@linkcode envFor}. */
  readonly env?: readonly string[];
  /** Variables with these values. */
  readonly set?: Readonly<Record<string, string>>;
  /** The folder it runs in; this process's if left out. */
  readonly cwd?: string;
  readonly stdin?: "piped" | "null";
}

/**
 * Starts a script of the project in a process of its own, with no variable of the environment that it has no use for: a
 * secret such as HF_TOKEN stays here. Deno starts no child while a variable such as LD_LIBRARY_PATH is set, as it is on
 * most GPU clusters, so these are never handed on as they are.
 *
 * Needs `--allow-run` for Deno itself. Its first argument is this process's id, for {@linkcode endWithParent}.
 *
 * @param options Which script, and what it may do.
 * @returns The process, with piped output.
 */
export function spawnDeno(options: DenoChildOptions): Deno.ChildProcess {
  const { script, permissions, args = [], env = [], set = {}, cwd, stdin = "piped" } = options;
  return new Deno.Command(denoProgram(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      ...projectFlags(permissions),
      ...permissions,
      script,
      `${Deno.pid}`,
      ...args,
    ],
    clearEnv: true,
    env: { ...envFor(isRemote() ? [...env, ...NETWORK_ENV, ...LOADING_ENV] : env), NO_COLOR: "1", ...set },
    ...(cwd === undefined ? {} : { cwd }),
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/**
 * The program that starts a child: this Deno. Where it was installed through npm, `deno` on the PATH is a launcher, and
 * `--allow-run=deno` allows the launcher, not the program behind it.
 */
export function denoProgram(): string {
  const command = Deno.execPath();
  const mayRun = (command: string) => Deno.permissions.querySync({ name: "run", command }).state === "granted";
  // Where neither is allowed, starting this Deno says so.
  return !mayRun(command) && mayRun("deno") ? "deno" : command;
}

/**
 * How Deno loads a script of the project. In a checkout: with its deno.json, and nothing from the network. From a URL, as
 * a published package is: modules come from that host, and from npm and JSR.
 *
 * @param permissions What else the child may do: Deno takes `--allow-all` and `--allow-import` in no command together.
 * @param project The project's folder.
 * @returns Flags of `deno run`.
 */
export function projectFlags(permissions: readonly string[] = [], project: URL = PROJECT): string[] {
  if (isRemote(project)) {
    const isAllowed = permissions.includes("--allow-all");
    return ["--no-config", ...isAllowed ? [] : [`--allow-import=${project.host},jsr.io:443`]];
  }
  const config = new URL("deno.json", project);
  return mayExist(config) ? [`--config=${fromFileUrl(config)}`, "--cached-only"] : [];
}

/** Whether a file is there, as far as this process may know. */
export function mayExist(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/**
 * Ties a child to what is going on here: it is ended where the signal says so, and where the scope ends. At once, for
 * native code that is at work answers no gentler signal before it returns.
 *
 * @example
 * ```ts
 * import { denoProgram, endWith } from "./deno_child.ts";
 *
 * const child = new Deno.Command(denoProgram(), { args: ["eval", "setTimeout(() => {}, 60_000)"] }).spawn();
 * {
 *   using _tie = endWith(child);
 * }
 * console.log((await child.status).signal); // "SIGKILL"
 * ```
 */
export function endWith(child: Deno.ChildProcess, signal?: AbortSignal): Disposable {
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted) kill();
  return {
    [Symbol.dispose]: () => {
      kill();
      signal?.removeEventListener("abort", kill);
    },
  };
}

/**
 * Hands over a stream's lines, as they come: the next one when the last has been dealt with. What is left without an end
 * is no line: whoever wrote it was ended.
 */
export async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => unknown,
): Promise<void> {
  let parts: string[] = [];
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = text.split("\n");
    if (lines.length > 1) {
      // A long line comes in many pieces: joined once, at its end.
      lines[0] = parts.join("") + lines[0]!;
      parts = [];
    }
    parts.push(lines.pop()!);
    for (const line of lines) await onLine(line);
  }
}
