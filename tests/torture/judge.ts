/**
 * Runs cases and judges them: a case fails if it hangs, crashes, shows a stack or a control character, or takes too
 * much memory.
 */
import { fromFileUrl, join } from "@std/path";
import { projectFlags, readLines } from "../../lib/process/deno_child.ts";
import { taskArguments } from "../bench/_bench.ts";
import { CANARY } from "./damage.ts";
import type { Opened, Opening } from "./opener.ts";
import type { Verdict } from "./verdict.ts";

/** The judgement of a case. */
export type Judged = Pick<Verdict, "outcome" | "detail">;

const project = fromFileUrl(new URL("../..", import.meta.url));
/** Longest time for a case, and longest time to end after the signal, ms. */
const LIMIT = 30_000, GRACE = 2500;
/** Most memory of a process, bytes, and longest message, characters. */
const MEMORY = 3 * 2 ** 30, MESSAGE = 5000;

/** Returns what is wrong with a text shown to a user; undefined if nothing is. */
export function faultIn(text: string): string | undefined {
  // deno-lint-ignore no-control-regex
  const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.exec(text);
  if (control) {
    return `shows a control character ${JSON.stringify(control[0])} in ${JSON.stringify(text.slice(0, 200))}`;
  }
  if (/^\s+at .*[(:]\d|Uncaught|panicked at/m.test(text)) return `shows a stack: ${text.slice(0, 1000)}`;
  if (text.includes(CANARY) || text.includes("root:x:")) return `shows bytes from outside: ${text.slice(0, 300)}`;
  if (text.length > MESSAGE) return `shows ${text.length} characters: ${text.slice(0, 200)}`;
  return undefined;
}

/** A process that opens cases; restarted after it had to be killed. */
export class Opener implements AsyncDisposable {
  #child: Deno.ChildProcess | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #answer: ((line: string | undefined) => void) | undefined;
  #stderr = "";

  #start(): void {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...[
          "run",
          "--quiet",
          "--no-prompt",
          "--no-check",
          ...projectFlags(),
          "--allow-read",
          "--allow-run",
          "--allow-env",
        ],
        ...["--allow-sys", import.meta.resolve("./opener.ts")],
      ],
      cwd: project,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#stderr = "";
    void (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) this.#stderr += text;
    })().catch(() => {});
    void readLines(child.stdout, (line) => this.#answer?.(line)).catch(() => {}).then(() => {
      if (this.#child === child) this.#answer?.(undefined);
    });
  }

  /** Opens a case; returns the result, or what is wrong. */
  async open(opening: Opening, limit = LIMIT): Promise<Opened | string> {
    if (!this.#child) this.#start();
    const child = this.#child!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answered = new Promise<string | undefined>((resolve) => this.#answer = resolve);
    const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), limit));
    await this.#writer!.write(new TextEncoder().encode(JSON.stringify(opening) + "\n")).catch(() => {});
    const line = await Promise.race([answered, late]);
    clearTimeout(timer);
    if (line === "late") {
      await this.#end();
      return `hangs: no end after ${limit / 1000} s`;
    }
    if (line === undefined) {
      const { code, signal } = await child.status;
      const said = this.#stderr.slice(-500);
      this.#child = undefined;
      return `ends the process (${signal ?? code}): ${said}`;
    }
    const peak = peakOf(child.pid);
    if (peak > MEMORY) {
      await this.#end();
      return `takes ${(peak / 2 ** 30).toFixed(1)} GiB`;
    }
    if (peak > MEMORY / 3) await this.#end(); // so that the next case is measured separately
    return JSON.parse(line);
  }

  /** Kills the process, like a crash. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    child?.kill("SIGKILL");
    await child?.status;
    await this.#writer?.abort().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await this.#end();
  }
}

/** Judges an opened case. */
export function judgeOpened(opened: Opened | string): Judged {
  if (typeof opened === "string") return { outcome: "failed", detail: opened };
  if (opened.stack !== undefined) return { outcome: "failed", detail: `throws what is no InputError: ${opened.stack}` };
  const fault = faultIn(opened.message);
  if (fault !== undefined) return { outcome: "failed", detail: fault };
  if (opened.silent) return { outcome: "failed", detail: "gives figures that are no numbers, and does not say so" };
  return { outcome: opened.taken ? "taken" : "refused", detail: opened.message };
}

/** Runs the whole command line. `end`: it runs for ever, and must end soon after SIGTERM. */
export async function judgeWhole(args: readonly string[], { end = false } = {}): Promise<Judged> {
  const folder = Deno.makeTempDirSync({ prefix: "torture-out-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...taskArguments("bench"),
      ...[
        "--device",
        "cpu",
        "--method",
        "baseline",
        "--num_samples",
        "1",
        "--max_tokens",
        "12",
        "--prompt_tokens",
        "6",
      ],
      ...["--max_new_tokens", "3", "--num_warmup", "0", "--repetitions", "1", "--output", folder, "--json", ...args],
    ],
    cwd: project,
    env: { NO_COLOR: "1", HF_HUB_OFFLINE: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let told: number | undefined;
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch { /* it has ended */ }
  };
  const term = setTimeout(() => (told = performance.now(), kill("SIGTERM")), end ? 4000 : LIMIT);
  const last = setTimeout(() => kill("SIGKILL"), (end ? 4000 : LIMIT) + 10_000);
  try {
    const { code, signal, stdout, stderr } = await child.output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
    const failed = (detail: string): Judged => ({ outcome: "failed", detail });
    if (told !== undefined) {
      const ms = performance.now() - told;
      if (ms > GRACE) return failed(`goes on for ${Math.round(ms)} ms after SIGTERM`);
      return end
        ? { outcome: "refused", detail: `ended by SIGTERM with code ${code}` }
        : failed(`takes over ${LIMIT / 1000} s`);
    }
    if (signal !== null || code > 2) return failed(`ends with ${signal ?? `code ${code}`}: ${err.slice(-1000)}`);
    const fault = faultIn(err) ?? faultIn(shown(out));
    if (fault !== undefined) return failed(fault);
    const line = err.trimEnd().split("\n").at(-1) ?? "";
    if (code === 2) {
      return /^Cannot /m.test(err)
        ? { outcome: "refused", detail: line }
        : failed(`code 2 without "Cannot": ${err.slice(-500)}`);
    }
    const results = JSON.parse(out);
    const [raw] = results.raw_results;
    if (code === 1) return { outcome: "refused", detail: results.failures[0]?.reason ?? line };
    const figures: unknown[] = raw === undefined
      ? [null]
      : [raw.perplexity, ...raw.nll, results.aggregated_stats.baseline?.perplexity];
    return figures.every((figure) => typeof figure === "number")
      ? { outcome: "taken", detail: `perplexity ${raw.perplexity}` }
      : failed("code 0 with figures that are no numbers");
  } finally {
    clearTimeout(term);
    clearTimeout(last);
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

/** Returns the part of standard output that must be fit for a terminal. The length of JSON is not checked. */
function shown(out: string): string {
  // deno-lint-ignore no-control-regex
  const control = /.{0,20}[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e].{0,20}/.exec(out);
  return control?.[0] ?? (out.includes(CANARY) ? CANARY : "");
}

/** Returns the peak memory of a process, bytes; Linux. */
function peakOf(pid: number): number {
  try {
    const status = new TextDecoder().decode(
      new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).outputSync().stdout,
    );
    return 1024 * Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** A folder for one case: the given files, and files outside of them that must not be read. */
export class CaseFolder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "torture-" });
  /** Folder of the given files. */
  readonly given = join(this.path, "given");

  constructor() {
    Deno.mkdirSync(this.given);
    Deno.mkdirSync(join(this.path, "outside"));
    Deno.writeTextFileSync(join(this.path, "outside", "secret.txt"), `${CANARY} `.repeat(1000));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true }).catch(() => {});
  }
}

/** Runs cases two at a time; yields verdicts as they are reached. */
export async function* inPairs<T>(
  cases: Iterable<T>,
  run: (one: T, opener: Opener) => Promise<Verdict>,
): AsyncGenerator<Verdict> {
  await using openers = new AsyncDisposableStack();
  const free = [0, 1].map(() => openers.use(new Opener()));
  const going = new Map<Opener, Promise<[Opener, Verdict]>>();
  for (const one of cases) {
    if (free.length === 0) {
      const [opener, verdict] = await Promise.race(going.values());
      going.delete(opener);
      free.push(opener);
      yield verdict;
    }
    const opener = free.pop()!;
    going.set(opener, run(one, opener).then((verdict) => [opener, verdict]));
  }
  while (going.size > 0) {
    const [opener, verdict] = await Promise.race(going.values());
    going.delete(opener);
    yield verdict;
  }
}

/** Judges a case of a model or text: opened here, and for some cases by the whole command line too. */
export async function judgeCase(
  { group, seed, damage, endless = false, opening, args, wholeOneIn }: {
    readonly group: string;
    readonly seed: number;
    readonly damage: string;
    readonly endless?: boolean;
    readonly opening: Opening;
    readonly args: readonly string[];
    readonly wholeOneIn: number;
  },
  opener: Opener,
): Promise<Verdict> {
  const started = performance.now();
  let judged: Judged = endless ? await judgeWhole(args, { end: true }) : judgeOpened(await opener.open(opening));
  let whole = endless;
  if (!endless && judged.outcome !== "failed" && seed % wholeOneIn === 0) {
    whole = true;
    judged = await judgeWhole(args);
  }
  return { group, seed, damage, whole, ...judged, ms: Math.round(performance.now() - started) };
}
