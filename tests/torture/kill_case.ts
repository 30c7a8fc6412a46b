/** When and how a run is killed; all of it follows from the case's seed. */
import { Chance } from "./chance.ts";

/** Configurations, samples and rounds of the killed run: in each round, a sample's speed. */
export const CONFIGURATIONS = ["baseline", "streaming_16"] as const;
export const SAMPLES = 2;
export const ROUNDS = 2;

/** Passes that it makes: of each configuration, one speed pass in each round, and each sample's quality. */
export const PASSES = CONFIGURATIONS.length * (ROUNDS + SAMPLES);

/** Flags of a short run. */
export const SHORT: readonly string[] =
  `--max_tokens 40 --prompt_tokens 12 --max_new_tokens 4 --num_samples ${SAMPLES} --num_warmup 0 --repetitions ${ROUNDS} --device cpu --recent_sizes 12 --no_recent_only`
    .split(" ");

/** Progress lines that such a run prints: the first two say what is about to run. */
const LINES = 2 + ROUNDS + CONFIGURATIONS.length * (1 + SAMPLES) + 2;

/**
 * Writes of results.json: at the start, after each pass, at the end. Each is an fsync, a rename and an fsync of the
 * folder. After the first, the parent folder is flushed as well.
 */
const WRITES = 1 + PASSES + 1;
/** Calls at which a run may be killed. */
export const CALLS = 3 * WRITES + 1;

/** Returns the number of passes on the disk after `renames` renames. */
export function savedAfter(renames: number): number {
  return Math.min(PASSES, Math.max(0, renames - 1));
}

/** What starts the run, and which of its processes gets the signal. */
export type Launcher = "run" | "task" | "npx";
export type Victim = "parent" | "child" | "task" | "npx";

/** A kill. */
export type KillCase =
  /** After this many lines of standard error, and this time, ms. */
  | {
    readonly kind: "signal";
    readonly launcher: Launcher;
    readonly victim: Victim;
    readonly signal: Deno.Signal;
    readonly lines: number;
    readonly delay: number;
  }
  /** At one of the calls that write. */
  | { readonly kind: "call"; readonly call: number; readonly when: "before" | "after" };

/**
 * Returns the case of a seed. Every fourth is at a call. Among `4 * 2 * CALLS` consecutive seeds, each call has both
 * its cases.
 *
 * @param seed The seed.
 * @param calls Whether the calls can be counted here.
 * @param npx Whether npx can start Deno here.
 */
export function killCase(seed: number, calls: boolean, npx: boolean): KillCase {
  if (calls && seed % 4 === 0) {
    const place = (seed / 4) % (2 * CALLS);
    return { kind: "call", call: place % CALLS, when: place < CALLS ? "before" : "after" };
  }
  const chance = new Chance(seed);
  const launcher = chance.pick<Launcher>(npx ? ["run", "task", "npx"] : ["run", "task"]);
  const victims: Record<Launcher, readonly Victim[]> = {
    run: ["parent", "child"],
    task: ["parent", "child", "task", "task"],
    npx: ["parent", "child", "task", "npx", "npx"],
  };
  return {
    kind: "signal",
    launcher,
    victim: chance.pick(victims[launcher]),
    signal: chance.pick<Deno.Signal>(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"]),
    lines: chance.below(LINES),
    delay: chance.unit() ** 2 * 600,
  };
}

/** Describes a kill in words. */
export function describe(kill: KillCase): string {
  return kill.kind === "call"
    ? `SIGKILL ${kill.when} call ${kill.call} of ${CALLS} that write`
    : `${kill.signal} to ${kill.victim} of ${kill.launcher}, ${kill.delay.toFixed(0)} ms after line ${kill.lines}`;
}
