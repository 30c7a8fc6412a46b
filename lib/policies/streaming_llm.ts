import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";

/**
 * Keeps the first `start_size` entries (attention sinks, which receive the attention that models have no other use for)
 * and the last `recent_size`. StreamingLLM: Xiao et al. 2024, arXiv:2309.17453.
 *
 * - `start_size`: sinks kept, entries;
 * - `recent_size`: window kept, entries.
 *
 * @example
 * ```ts
 * import { streamingLlm } from "./streaming_llm.ts";
 *
 * const policy = streamingLlm({ start_size: 4, recent_size: 252 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 300 })); // { sink: 4, heavy: 0, recent: 252 }
 * ```
 */
export const streamingLlm = definePolicy({
  name: "streaming_llm",
  params: { start_size: 4, recent_size: 508 },
  keep: ({ start_size, recent_size }) => ({ entries }) =>
    entries > start_size + recent_size ? { sink: start_size, heavy: 0, recent: recent_size } : "all",
}, { start_size: integer(0), recent_size: integer(0) });
