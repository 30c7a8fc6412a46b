/** A text to write. */
export interface Writing {
  readonly prompt: readonly number[];
  /** Tokens that are written and not timed, after the first one. */
  readonly warmup: number;
  /** Tokens that are timed after these. */
  readonly newTokens: number;
  readonly seed: number;
  /** Told of the logits after each token after the first, in order. */
  readonly onLogits?: (logits: Float32Array) => void;
}
