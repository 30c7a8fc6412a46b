/** The interface of the torture groups: a case has a seed and one verdict. */

/**
 * How a case ended. "taken": the figures are sound. "refused": refused or recorded in order. "failed": a defect of this
 * project.
 */
export type Outcome = "taken" | "refused" | "failed";

/** Result of one case. */
export interface Verdict {
  /** Group of the case: folders, exports, texts, hub. */
  readonly group: string;
  /** Seed that repeats the case: `--only GROUP --seed SEED`. */
  readonly seed: number;
  /** What was damaged, in words. */
  readonly damage: string;
  /** "failed" is a defect of this project; "refused" is a clear line with exit code 2, or a recorded failure with 1. */
  readonly outcome: Outcome;
  /** Whether the case ran in a child process: the whole command line, or the child that measures. */
  readonly whole: boolean;
  /** The refusal's line, or what is wrong. */
  readonly detail: string;
  /** Duration, ms. */
  readonly ms: number;
}

/** Options of a group. Each group's module exports `run(options: TortureOptions): AsyncIterable<Verdict>`. */
export interface TortureOptions {
  /** Seed of the first case; each next one is one higher. */
  readonly seed: number;
  /** Cases wanted. */
  readonly count: number;
  /** One in this many cases that the parent refuses also runs by the whole command line. Groups may ignore it. */
  readonly wholeOneIn: number;
}
