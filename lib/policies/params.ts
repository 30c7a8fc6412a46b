/**
 * Parameters of the built-in methods. Sizes are entries of the cache, per KV head. Omitted parameters have their
 * defaults; a test compares the defaults named here with those of the methods.
 *
 * @module
 */

/** Parameters of `methods.recent_only`. */
export interface RecentOnlyParams {
  /**
   * Entries kept.
   *
   * @default {512}
   */
  window_size: number;
}

/** Parameters of `methods.streaming_llm`. */
export interface StreamingLlmParams {
  /**
   * First entries kept, the attention sinks.
   *
   * @default {4}
   */
  start_size: number;
  /**
   * Last entries kept.
   *
   * @default {508}
   */
  recent_size: number;
}

/** Parameters of `methods.fix_size_l2`. */
export interface FixSizeL2Params {
  /**
   * Entries kept in all.
   *
   * @default {512}
   */
  fix_kv_size: number;
  /**
   * Share of them that is the recent window, (0, 1].
   *
   * @default {0.5}
   */
  keep_ratio: number;
  /**
   * How the rest is chosen: "keep_low", "keep_high" (by key norm) or "random".
   *
   * @default {"keep_low"}
   */
  strategy: string;
}

/** Parameters of `methods.l2_compress`. */
export interface L2CompressParams {
  /**
   * Share kept, (0, 1].
   *
   * @default {0.8}
   */
  keep_ratio: number;
  /**
   * Entries up to which nothing is dropped.
   *
   * @default {100}
   */
  prune_after: number;
}

/** Parameters of `methods.h2o_l2`. */
export interface H2oL2Params {
  /**
   * First entries kept.
   *
   * @default {4}
   */
  start_size: number;
  /**
   * Entries of the middle kept, those with the lowest key norm.
   *
   * @default {64}
   */
  heavy_hitter_size: number;
  /**
   * Last entries kept.
   *
   * @default {444}
   */
  recent_size: number;
}

/** Parameters of `methods.snapkv_lite`. */
export interface SnapKvLiteParams {
  /**
   * Last entries kept.
   *
   * @default {32}
   */
  observation_window: number;
  /**
   * Entries kept in all.
   *
   * @default {512}
   */
  keep_size: number;
  /**
   * Neighbours averaged over, odd.
   *
   * @default {5}
   */
  pooling_kernel: number;
}

/** Parameters of `methods.pyramid_kv`. */
export interface PyramidKvParams {
  /**
   * Entries of layer 0.
   *
   * @default {512}
   */
  base_size: number;
  /**
   * Factor from one layer to the next; only with the profile "exponential".
   *
   * @default {0.9}
   */
  layer_decay: number;
  /**
   * Entries that no layer falls below.
   *
   * @default {64}
   */
  min_size: number;
  /**
   * How budgets fall: "exponential", "linear" or "constant".
   *
   * @default {"exponential"}
   */
  profile: string;
}

/** Parameters of `methods.adaptive_l2`. */
export interface AdaptiveL2Params {
  /**
   * Entries kept when there are more than `hard_limit`.
   *
   * @default {512}
   */
  target_size: number;
  /**
   * Entries up to which nothing is dropped.
   *
   * @default {256}
   */
  soft_limit: number;
  /**
   * Entries at which the gentle phase ends.
   *
   * @default {1024}
   */
  hard_limit: number;
}

/** Parameters of `methods.h2o`. */
export interface H2oParams {
  /**
   * First entries kept regardless of score; 0 in the paper.
   *
   * @default {0}
   */
  start_size: number;
  /**
   * Heavy hitters kept.
   *
   * @default {256}
   */
  heavy_size: number;
  /**
   * Last entries kept.
   *
   * @default {256}
   */
  recent_size: number;
}

/** Parameters of `methods.tova`. */
export interface TovaParams {
  /**
   * Entries kept.
   *
   * @default {512}
   */
  cache_size: number;
}

/** Parameters of `methods.snapkv`. */
export interface SnapKvParams {
  /**
   * Entries kept in all; with budgets by layer, the mean over the layers.
   *
   * @default {512}
   */
  cache_size: number;
  /**
   * Last queries that vote, and last entries kept.
   *
   * @default {32}
   */
  observation_window: number;
  /**
   * How votes are smoothed: "avg" or "max".
   *
   * @default {"avg"}
   */
  pooling: string;
  /**
   * Neighbours to smooth over, odd.
   *
   * @default {5}
   */
  pooling_kernel: number;
}

/** Parameters of `methods.pyramid_snapkv`. */
export interface PyramidSnapKvParams extends SnapKvParams {
  /**
   * How steep the pyramid is, at least 1; at 1 all layers have the same budget.
   *
   * @default {20}
   */
  beta: number;
}

/** Parameters of `methods.keydiff`. */
export interface KeydiffParams {
  /**
   * Entries kept in all.
   *
   * @default {512}
   */
  cache_size: number;
  /**
   * Last entries kept.
   *
   * @default {128}
   */
  recent_size: number;
}
