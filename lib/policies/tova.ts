import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";
import { attention } from "./score.ts";

/**
 * Keeps the `cache_size` entries to which the newest query pays most attention, averaged over all heads: one choice for
 * all heads of a layer. No entry is protected by its position, not even the first or the last. Token Omission Via
 * Attention: Oren et al. 2024, arXiv:2401.06104.
 *
 * - `cache_size`: entries kept.
 *
 * @example
 * ```ts
 * import { tova } from "./tova.ts";
 *
 * const policy = tova({ cache_size: 256 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 257 })); // { sink: 0, heavy: 256, recent: 0 }
 * ```
 */
export const tova = definePolicy({
  name: "tova",
  params: { cache_size: 512 },
  keep: ({ cache_size: heavy }) => ({ entries }) => entries > heavy ? { sink: 0, heavy, recent: 0 } : "all",
  score: () => attention,
  attention: () => ({ from: "last", window: 1, share: "layer" }),
}, { cache_size: integer(0) });
