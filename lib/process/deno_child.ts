import { fromFileUrl } from "@std/path";
import { envFor, LOADING_ENV, NETWORK_ENV } from "./child_env.ts";
import { isRemote, PROJECT } from "../util/project.ts";

/** Options of a Deno child process. */
export interface DenoChildOptions {
  /** URL of the script. */
  readonly script: string;
  /** Its permissions, as Deno's flags. */
  readonly permissions: readonly string[];
  /** Arguments of the script. */
  readonly args?: readonly string[];
  /** Names of its environment variables, in addition to those of every child; see {@linkcode envFor}. */
  readonly env?: readonly string[];
  /** Environment variables to set, with their values. */
  readonly set?: Readonly<Record<string, string>>;
  /** Its working folder; by default this process's. */
  readonly cwd?: string;
  readonly stdin?: "piped" | "null";
}

/**
 * Starts a script of the project in a child process, with only the environment variables that it needs: a secret such
 * as HF_TOKEN is not passed on. Deno starts no child while a variable such as LD_LIBRARY_PATH is set, as on most GPU
 * clusters, so such variables are never passed on under their own names.
 *
 * Needs `--allow-run` for Deno itself. The script's first argument is this process's id, for {@linkcode endWithParent}.
 *
 * @param options The script, its permissions and its environment.
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
 * Returns the program that starts a child: this Deno. If it was installed through npm, `deno` on the PATH is a
 * launcher, and `--allow-run=deno` allows the launcher, not the program that it starts.
 */
export function denoProgram(): string {
  const command = Deno.execPath();
  const mayRun = (command: string) => Deno.permissions.querySync({ name: "run", command }).state === "granted";
  // If neither is allowed, starting this Deno reports it.
  return !mayRun(command) && mayRun("deno") ? "deno" : command;
}

/**
 * Returns the flags by which Deno loads a script of the project. In a checkout: its deno.json, and nothing from the
 * network. From a URL, as with a published package: modules come from that host, and from npm and JSR.
 *
 * @param permissions The child's other permissions. Deno does not accept `--allow-all` together with `--allow-import`.
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

/** Whether a file may exist; true if this process has no permission to check. */
export function mayExist(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/**
 * Kills a child when the signal is aborted or the scope ends. It uses SIGKILL, because running native code answers no
 * gentler signal before it returns.
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
      // The child has already ended.
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
 * Passes on a stream's lines one by one, each after the last one is handled. Text without a line end is dropped: its
 * writer was killed.
 */
export async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => unknown,
): Promise<void> {
  let parts: string[] = [];
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = text.split("\n");
    if (lines.length > 1) {
      // A long line arrives in many pieces; join them once, at its end.
      lines[0] = parts.join("") + lines[0]!;
      parts = [];
    }
    parts.push(lines.pop()!);
    for (const line of lines) await onLine(line);
  }
}
