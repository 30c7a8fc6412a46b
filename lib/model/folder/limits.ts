/**
 * The most a size in config.json may be. All are far above any model's; a number beyond is a mistake, and the message
 * should name the field rather than be that of an allocation that failed.
 */
export const MOST = {
  layers: 10_000,
  /** Of hidden_size, of the heads' number and of the MLP, elements. */
  width: 2 ** 22,
  /** The graph finds the largest logit's place in float32, which counts exactly so far. */
  vocab: 2 ** 24,
} as const;
