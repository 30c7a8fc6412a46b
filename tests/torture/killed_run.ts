/** A run of the benchmark that will be killed. */
import { join } from "@std/path";
import { endSession, ofSession, type Running } from "../bench/_processes.ts";
import { project, taskArguments } from "../bench/_bench.ts";
import { plainEnvironment } from "../bench/_session.ts";
import type { Launcher, Victim } from "./kill_case.ts";

/** Arguments by which npx starts this version of Deno offline: it is in npx's cache if npx runs the tests. */
export const npxArguments: readonly string[] = ["--offline", "-y", `deno@${Deno.version.deno}`];

/** Whether npx can start Deno offline. */
export async function hasNpx(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("npx", {
      args: [...npxArguments, "--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** Returns the command of a launcher. */
function commandOf(launcher: Launcher, args: readonly string[]): [string, string[]] {
  if (launcher === "npx") return ["npx", [...npxArguments, "task", "bench", ...args]];
  return [Deno.execPath(), launcher === "task" ? ["task", "bench", ...args] : [...taskArguments("bench"), ...args]];
}

/** A run in a new session, by which its processes are found. */
export class KilledRun implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #listening: Promise<unknown>;
  #stderr = "";
  #waiting: { readonly lines: number; readonly resolve: () => void }[] = [];
  /** The exit code, once the started process has ended. */
  code: number | undefined;

  constructor(launcher: Launcher, args: readonly string[], env: Record<string, string> = {}) {
    const [command, rest] = commandOf(launcher, args);
    this.#process = new Deno.Command(command, {
      args: rest,
      cwd: project,
      clearEnv: true,
      env: { ...plainEnvironment(), ...env },
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    void this.#process.status.then(({ code }) => this.code = code);
    this.#listening = this.#listen();
  }

  /** Session id of all its processes. */
  get session(): number {
    return this.#process.pid;
  }

  /** Returns its output, without the lines of task runners. */
  get said(): string {
    return this.#stderr;
  }

  /** Waits until it has printed `lines` lines, or has ended. */
  async lines(lines: number): Promise<void> {
    if (this.#count() >= lines) return;
    const said = new Promise<void>((resolve) => this.#waiting.push({ lines, resolve }));
    await Promise.race([said, this.#listening]);
  }

  /** Sends a signal to one of its processes, and returns that; undefined if it does not exist. */
  async signal(victim: Victim, signal: Deno.Signal): Promise<Running | undefined> {
    const found = (await ofSession(this.session)).findLast((process) => isVictim(process, victim));
    if (found === undefined) return undefined;
    try {
      Deno.kill(found.pid, signal);
    } catch {
      // It has already ended.
    }
    return found;
  }

  /** Ends all its processes, and waits until its output is read. */
  async [Symbol.asyncDispose](): Promise<void> {
    await endSession(this.session);
    await Promise.all([this.#process.status, this.#listening]);
  }

  #count(): number {
    return this.#stderr.split("\n").length - 1;
  }

  async #listen(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr = (this.#stderr + text).replace(/^(npm warn|Task bench) .*\n/gm, "");
      for (const { lines, resolve } of this.#waiting) if (this.#count() >= lines) resolve();
    }
  }
}

function isVictim({ command }: Running, victim: Victim): boolean {
  switch (victim) {
    case "npx":
      return /^npm exec|\/npx /.test(command);
    case "task":
      return /deno task bench/.test(command) && !/^npm|\/npx |^sh |bin\.cjs/.test(command);
    case "parent":
      return / bench\/kv_cache\.ts /.test(command);
    case "child":
      return /\/(child_main|chart_main)\.ts /.test(command);
  }
}

/** Result of resuming a run. */
export interface Resumed {
  readonly code: number;
  readonly stderr: string;
}

/** Resumes a run. */
export async function resume(folder: string): Promise<Resumed> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("bench"), "--resume", folder],
    cwd: project,
    clearEnv: true,
    env: plainEnvironment(),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** Lists the folders in a folder. */
export function foldersIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory).map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
}
