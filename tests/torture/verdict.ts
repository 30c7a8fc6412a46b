/** What the torture groups agree on: a case has a seed, and one verdict. */

/** How a case ended: it was taken and the figures are sound, or refused or recorded in order, or something is wrong here. */
export type Outcome = "taken" | "refused" | "failed";

/** What became of one case. */
export interface Verdict {
  /** The group that the case is of: folders, exports, texts, hub. */
  readonly group: string;
  /** Makes the case anew: `--only GROUP --seed SEED`. */
  readonly seed: number;
  /** What was damaged, in words. */
  readonly damage: string;
  /** "failed" is a defect of this project; "refused" is a clear line with exit code 2, or a recorded failure with 1. */
  readonly outcome: Outcome;
  /** Whether the case went through a process of its own: the whole command line, or the child that measures. */
  readonly whole: boolean;
  /** The refusal's line, or what is wrong. */
  readonly detail: string;
  /** How long it took, ms. */
  readonly ms: number;
}

/** What a group is run with. Each group's module exports `run(options: TortureOptions): AsyncIterable<Verdict>`. */
export interface TortureOptions {
  /** The seed of the first case; the next case's is one more. */
  readonly seed: number;
  /** Cases wanted. */
  readonly count: number;
  /** Of so many cases that the parent refuses, one goes through the whole command line as well. Groups may ignore it. */
  readonly wholeOneIn: number;
}
