/**
 * Largest sizes that config.json may state. All are far above any model's. A larger number is a mistake, and the
 * message should name the field rather than report a failed allocation.
 */
export const MOST = {
  layers: 10_000,
  /** For hidden_size, the number of heads and the MLP's width, elements. */
  width: 2 ** 22,
  /** The graph finds the index of the largest logit in float32, which is exact up to here. */
  vocab: 2 ** 24,
} as const;
