/** Tokens that a draft proposes. */
export interface Proposal {
  /** At most as many as asked for; perhaps none. */
  readonly tokens: readonly number[];
  /** The distribution that each was drawn from, `[vocab]`; undefined for tokens that were not drawn. */
  readonly distributions: readonly (Float64Array | undefined)[];
}

/** Memory that a draft takes in addition to the target's, bytes. */
export interface DraftMemory {
  /** How it holds its context. */
  readonly kind: "none" | "view" | "second cache";
  /** Its own cache. */
  readonly cache_bytes: number;
  /** Weights that are not the target's. */
  readonly weight_bytes: number;
}

/** Proposes the tokens that may come next. */
export interface Draft extends Disposable {
  readonly memory: DraftMemory;
  /** Passes of a model that it has run so far. */
  readonly steps: number;
  /**
   * Proposes tokens.
   *
   * @param text All tokens so far, the last of which the target has not read yet.
   * @param count How many are wanted, at least 1.
   * @param forced Tokens to propose in place of its own: its work is the same.
   */
  propose(text: readonly number[], count: number, forced?: readonly number[]): Proposal;
  /**
   * Takes back what was not accepted. Called once after each proposal.
   *
   * @param accepted How many of the proposed tokens are part of the text now.
   */
  settle(accepted: number): void;
}

/** What a draft takes that runs no model. */
export const NO_MEMORY: DraftMemory = { kind: "none", cache_bytes: 0, weight_bytes: 0 };
