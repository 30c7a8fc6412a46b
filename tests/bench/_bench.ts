/** Runs the benchmark as a user does: in a child process, with the permissions of its task. */
import { fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };

/** The checkout. */
export const project = fromFileUrl(new URL("../..", import.meta.url));

/** Returns the command of a task, as arguments of Deno. */
export function taskArguments(task: keyof typeof config.tasks): string[] {
  const [deno, ...args] = config.tasks[task].command
    .replace(`"$(deno eval 'console.log(Deno.execPath())')"`, Deno.execPath())
    .split(" ");
  if (deno !== "deno" || args.some((arg) => /["'$&]/.test(arg))) throw new Error(`Cannot run ${task} without a shell`);
  return args;
}

/** Exit code and output of a run. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the benchmark. */
export class Bench {
  readonly process: Deno.ChildProcess;
  /** Resolves when the run has ended. */
  readonly ended: Promise<Ended>;
  #stderr = "";
  #waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = [];

  /**
   * @param options `group`: whether it gets its own process group, like a terminal's job; `input`: text for standard
   * input.
   */
  constructor(
    args: readonly string[],
    options: { env?: Record<string, string>; group?: boolean; input?: ReadableStream<Uint8Array> } = {},
  ) {
    this.process = new Deno.Command(Deno.execPath(), {
      args: [...taskArguments("bench"), ...args],
      cwd: project,
      env: { NO_COLOR: "1", ...options.env },
      detached: options.group ?? false,
      stdin: options.input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // A run may end before it has read all input.
    void options.input?.pipeTo(this.process.stdin).catch(() => {});
    this.ended = this.#end();
  }

  /** Waits until standard error matches; throws if the run ends before that. */
  async said(pattern: RegExp): Promise<void> {
    if (pattern.test(this.#stderr)) return;
    const found = new Promise<void>((resolve) => this.#waiting.push({ pattern, resolve }));
    const { code } = await Promise.race([found.then(() => ({ code: -1 })), this.ended]);
    if (code !== -1) throw new Error(`The run ended with code ${code} before it said ${pattern}:\n${this.#stderr}`);
  }

  async #end(): Promise<Ended> {
    const [stdout, , { code }] = await Promise.all([
      new Response(this.process.stdout).text(),
      this.#listen(),
      this.process.status,
    ]);
    return { code, stdout, stderr: this.#stderr };
  }

  async #listen(): Promise<void> {
    for await (const text of this.process.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
      for (const { pattern, resolve } of this.#waiting) if (pattern.test(this.#stderr)) resolve();
    }
  }
}

/** Runs the benchmark to its end. */
export function bench(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Bench(args, { env }).ended;
}

/** Returns the ids of a process's children; Linux. */
export async function childrenOf(pid: number): Promise<number[]> {
  const script = 'for s in /proc/[0-9]*/stat; do read -r p c s q r < "$s"; [ "$q" = "$0" ] && echo "$p"; done; true';
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script, `${pid}`], stderr: "null" }).output();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean).map(Number);
}

/** Whether a process exists and is not a zombie; Linux. */
export async function isAlive(pid: number): Promise<boolean> {
  const script = 'read -r p c s r < "/proc/$0/stat" && [ "$s" != Z ]';
  return (await new Deno.Command("sh", { args: ["-c", script, `${pid}`], stderr: "null" }).output()).success;
}

/** Returns a report without doubts about times, which are of the machine's state. */
export function undoubted(report: string): string {
  return report.replaceAll(/(?<=\d)!(?=\s)/g, " ")
    .replaceAll(/^(! .*|\S+: (other processes kept|\d+ of \d+ steps|TPOT of sample) .*)\n/gm, "");
}

/** A temporary folder, deleted at the end of the scope. */
export class TemporaryFolder implements AsyncDisposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "kvcompress_test_" });

  /** Returns the names in one of its folders; undefined if the folder does not exist. */
  names(...parts: string[]): string[] | undefined {
    try {
      return [...Deno.readDirSync(join(this.path, ...parts))].map(({ name }) => name).sort();
    } catch {
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Flags of a very short run. */
export const tiny: readonly string[] =
  "--max_tokens 48 --prompt_tokens 24 --max_new_tokens 8 --num_samples 2 --num_warmup 0 --repetitions 1 --device cpu"
    .split(" ");
