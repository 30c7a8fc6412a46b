/** A command in a new session, so that all its processes can be found and ended. Linux. */
import { endSession, leftAfter, ofSession, type Running } from "./_processes.ts";
import { project } from "./_bench.ts";

/** Options of a command. */
export interface SessionOptions {
  /** Variables, in addition to {@linkcode plainEnvironment}. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its working folder; the checkout by default. */
  readonly cwd?: string;
}

/** Returns the environment of a user's shell, without the variables of the process that started the tests. */
export function plainEnvironment(): Record<string, string> {
  const names = ["DENO_DIR", "HOME", "PATH", "TMPDIR", "npm_config_cache"];
  const known = names.map((name) => [name, Deno.env.get(name)] as const).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(known) as Record<string, string>, NO_COLOR: "1", ORT_DISABLE_TELEMETRY: "1" };
}

/** A command and all processes that it starts. */
export class Session implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  #said = { stdout: "", stderr: "" };
  #changed = Promise.withResolvers<void>();
  /** The exit code, once it has ended. */
  code: number | undefined;

  constructor(command: string, args: readonly string[], { env = {}, cwd = project }: SessionOptions = {}) {
    // Started by env(1), because Deno starts no child with some of these variables.
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    this.#process = new Deno.Command("env", {
      args: [...variables, command, ...args],
      cwd,
      clearEnv: true,
      env: plainEnvironment(),
      detached: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    void this.#process.status.then(({ code }) => {
      this.code = code;
      this.#changed.resolve();
    });
    this.#reading = Promise.all([this.#read("stdout"), this.#read("stderr")]);
  }

  /** The first process. */
  get pid(): number {
    return this.#process.pid;
  }

  get stdout(): string {
    return this.#said.stdout;
  }

  get stderr(): string {
    return this.#said.stderr;
  }

  /** Waits for its end, and for all its output. */
  async ended(): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code } = await this.#process.status;
    await this.#reading;
    return { code, ...this.#said };
  }

  /** Waits until standard error matches; throws if the command ends before that. */
  async said(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) {
      if (this.code !== undefined) {
        await this.#reading;
        if (pattern.test(this.stderr)) return;
        throw new Error(`It ended with code ${this.code} before it said ${pattern}:\n${this.stderr}`);
      }
      await this.#changed.promise;
    }
  }

  /** Waits for one of its processes whose command line matches. */
  async process(pattern: RegExp): Promise<Running> {
    const end = performance.now() + 60_000;
    while (true) {
      if (performance.now() > end) throw new Error(`There is no process ${pattern}:\n${this.stderr}`);
      const found = (await ofSession(this.pid)).findLast(({ command }) => pattern.test(command));
      if (found) return found;
      if (this.code !== undefined) throw new Error(`It ended without a process ${pattern}:\n${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Returns the processes left after at most `patience` ms, one line each. */
  async left(patience?: number): Promise<string[]> {
    const left = await leftAfter(this.pid, patience);
    return left.map(({ pid, state, command }) => `${pid} ${state} ${command}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endSession(this.pid);
    await this.#process.status;
    await this.#reading;
  }

  async #read(which: "stdout" | "stderr"): Promise<void> {
    for await (const text of this.#process[which].pipeThrough(new TextDecoderStream())) {
      this.#said[which] += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

/** Returns a process's environment variables. */
export async function environmentOf(pid: number): Promise<Record<string, string>> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/environ`], stderr: "null" }).output();
  const pairs = new TextDecoder().decode(stdout).split("\0").filter((pair) => pair.includes("="));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}
