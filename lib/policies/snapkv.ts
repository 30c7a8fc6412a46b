import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";
import { attention, avgPool, maxPool, type Score } from "./score.ts";

/** How `snapkv` smooths its votes over neighbours, so that it keeps groups of tokens, not single ones. */
export const POOLINGS: Readonly<Record<string, (kernel: number) => Score<"attention">>> = {
  /** Average of the votes; the paper's code takes 5 neighbours. */
  avg: (kernel) => avgPool(kernel, attention),
  /** Maximum of the votes; the paper's code takes 7 neighbours. */
  max: (kernel) => maxPool(kernel, attention),
};

/**
 * Returns the score of SnapKV: attention smoothed over neighbours.
 *
 * @param method Name of the method, for the message.
 * @param params `pooling`: a name of {@linkcode POOLINGS}; `pooling_kernel`: neighbours, odd.
 * @returns The score.
 * @throws {RangeError} If the pooling does not exist.
 */
export function pooledVotes(
  method: string,
  { pooling, pooling_kernel }: { readonly pooling: string; readonly pooling_kernel: number },
): Score<"attention"> {
  const pool = Object.hasOwn(POOLINGS, pooling) ? POOLINGS[pooling] : undefined;
  if (pool === undefined) {
    throw new RangeError(`Cannot make ${method}: pooling ${pooling} is not one of ${Object.keys(POOLINGS).join(", ")}`);
  }
  return pool(pooling_kernel);
}

/**
 * Keeps the last `observation_window` entries and, up to `cache_size`, the earlier entries to which the queries of this
 * window pay most attention. Attention is summed over the queries, averaged over the query heads of a KV head, and
 * smoothed over neighbours. SnapKV: Li et al. 2024, arXiv:2404.14469.
 *
 * The paper chooses once, at the end of the prompt. Here it is applied after every pass, like all methods. After a
 * prefill this is the paper's choice. Token by token, the window moves along the text and chooses anew at each token.
 *
 * - `cache_size`: entries kept in all;
 * - `observation_window`: last queries that vote, and last entries kept;
 * - `pooling`: `avg` or `max`; `pooling_kernel`: neighbours to smooth over, odd; the paper's code takes 5, or 7 with
 * `max`.
 *
 * @example
 * ```ts
 * import { snapkv } from "./snapkv.ts";
 *
 * const policy = snapkv({ cache_size: 256 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 257 })); // { sink: 0, heavy: 224, recent: 32 }
 * ```
 */
export const snapkv = definePolicy({
  name: "snapkv",
  params: { cache_size: 512, observation_window: 32, pooling: "avg", pooling_kernel: 5 },
  keep: ({ cache_size, observation_window }) => {
    const recent = Math.min(observation_window, cache_size);
    return ({ entries }) => entries > cache_size ? { sink: 0, heavy: cache_size - recent, recent } : "all";
  },
  score: (params) => pooledVotes("snapkv", params),
  attention: ({ observation_window: window }) => ({ from: "last", window }),
}, { cache_size: integer(0), observation_window: integer(0) });
