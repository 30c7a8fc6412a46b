import { adaptiveL2 } from "./adaptive_l2.ts";
import { baseline } from "./baseline.ts";
import { fixSizeL2 } from "./fix_size_l2.ts";
import { h2o } from "./h2o.ts";
import { h2oL2 } from "./h2o_l2.ts";
import { keydiff } from "./keydiff.ts";
import { l2Compress } from "./l2_compress.ts";
import type {
  AdaptiveL2Params,
  FixSizeL2Params,
  H2oL2Params,
  H2oParams,
  KeydiffParams,
  L2CompressParams,
  PyramidKvParams,
  PyramidSnapKvParams,
  RecentOnlyParams,
  SnapKvLiteParams,
  SnapKvParams,
  StreamingLlmParams,
  TovaParams,
} from "./params.ts";
import type { PolicyFactory } from "./policy.ts";
import { pyramidKv } from "./pyramid_kv.ts";
import { pyramidSnapkv } from "./pyramid_snapkv.ts";
import { recentOnly } from "./recent_only.ts";
import { snapkv } from "./snapkv.ts";
import { snapkvLite } from "./snapkv_lite.ts";
import { streamingLlm } from "./streaming_llm.ts";
import { tova } from "./tova.ts";

/** The methods that come with the benchmark, each with its parameters. */
export interface Methods {
  /** Keeps every entry: the full cache that all others are compared with. */
  readonly baseline: PolicyFactory<Record<never, never>>;
  /** Keeps the last entries: the control group. Xiao et al. 2024, arXiv:2309.17453. */
  readonly recent_only: PolicyFactory<RecentOnlyParams>;
  /** Keeps attention sinks and the last entries. Xiao et al. 2024, arXiv:2309.17453. */
  readonly streaming_llm: PolicyFactory<StreamingLlmParams>;
  /** Keeps a fixed number, part recent, part by lowest key norm. Devoto et al. 2024, arXiv:2406.11430. */
  readonly fix_size_l2: PolicyFactory<FixSizeL2Params>;
  /** Keeps a share of the entries by lowest key norm. Devoto et al. 2024, arXiv:2406.11430. */
  readonly l2_compress: PolicyFactory<L2CompressParams>;
  /** H2O with the key norm in place of attention. Devoto et al. 2024, arXiv:2406.11430. */
  readonly h2o_l2: PolicyFactory<H2oL2Params>;
  /** SnapKV with the key norm in place of attention. Li et al. 2024, arXiv:2404.14469. */
  readonly snapkv_lite: PolicyFactory<SnapKvLiteParams>;
  /** Larger budgets for lower layers, by lowest key norm. Cai et al. 2024, arXiv:2406.02069. */
  readonly pyramid_kv: PolicyFactory<PyramidKvParams>;
  /** Compresses harder the more entries there are, by lowest key norm. Devoto et al. 2024, arXiv:2406.11430. */
  readonly adaptive_l2: PolicyFactory<AdaptiveL2Params>;
  /** Keeps heavy hitters by accumulated attention, and the last entries. Zhang et al. 2023, arXiv:2306.14048. */
  readonly h2o: PolicyFactory<H2oParams>;
  /** Keeps the entries to which the newest query pays most attention. Oren et al. 2024, arXiv:2401.06104. */
  readonly tova: PolicyFactory<TovaParams>;
  /**
   * Keeps the entries to which the last queries pay most attention, smoothed over neighbours. Li et al. 2024,
   * arXiv:2404.14469.
   */
  readonly snapkv: PolicyFactory<SnapKvParams>;
  /** SnapKV with budgets that fall from the first layer to the last. Cai et al. 2024, arXiv:2406.02069. */
  readonly pyramid_snapkv: PolicyFactory<PyramidSnapKvParams>;
  /** Keeps the most distinct keys, and the last entries. Park et al. 2025, arXiv:2504.15364. */
  readonly keydiff: PolicyFactory<KeydiffParams>;
}

/**
 * Every method that comes with the benchmark, by the name `--method` takes.
 *
 * @example
 * ```ts
 * import { methods } from "./registry.ts";
 *
 * console.log(methods.streaming_llm({ recent_size: 252 }).params); // { start_size: 4, recent_size: 252 }
 * ```
 */
export const methods: Methods = {
  baseline,
  recent_only: recentOnly,
  streaming_llm: streamingLlm,
  fix_size_l2: fixSizeL2,
  l2_compress: l2Compress,
  h2o_l2: h2oL2,
  snapkv_lite: snapkvLite,
  pyramid_kv: pyramidKv,
  adaptive_l2: adaptiveL2,
  h2o,
  tova,
  snapkv,
  pyramid_snapkv: pyramidSnapkv,
  keydiff,
};

/** Name of a method that comes with the benchmark. */
export type MethodName = keyof Methods;

/** Names of {@linkcode methods}, in the order of the help. */
export const methodNames: readonly MethodName[] = Object.keys(methods) as MethodName[];
