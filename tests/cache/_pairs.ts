/** Every method in the benchmark's form, with its definition. */
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import {
  byLot,
  h2o,
  keydiff,
  lowestNorms,
  pyramidSnapkv,
  sinksAndRecent,
  snapkv,
  tova,
} from "../reference/definitions.ts";
import type { Method } from "../reference/cache.ts";

/** A policy of the benchmark, with the definition of its method. */
export interface Pair {
  readonly name: string;
  readonly policy: Policy;
  readonly method: Method;
}

/** Every method at about `size` entries. */
export function pairs(size: number): Pair[] {
  const half = size >> 1, window = Math.max(1, size >> 2);
  const made: Record<string, readonly [Policy, Method]> = {
    h2o: [methods.h2o({ heavy_size: size - half, recent_size: half }), h2o(size - half, half)],
    tova: [methods.tova({ cache_size: size }), tova(size)],
    snapkv: [
      methods.snapkv({ cache_size: size, observation_window: window, pooling_kernel: 3 }),
      snapkv(size, window, "avg", 3),
    ],
    "snapkv, max": [
      methods.snapkv({ cache_size: size, observation_window: window, pooling: "max", pooling_kernel: 5 }),
      snapkv(size, window, "max", 5),
    ],
    pyramid_snapkv: [
      methods.pyramid_snapkv({ cache_size: size, observation_window: window, pooling_kernel: 5, beta: 3 }),
      pyramidSnapkv(size, window, 5, 3),
    ],
    keydiff: [methods.keydiff({ cache_size: size, recent_size: window }), keydiff(size, window)],
    h2o_l2: [
      methods.h2o_l2({ start_size: 1, heavy_hitter_size: size - half - 1, recent_size: half }),
      lowestNorms(1, size - half - 1, half),
    ],
    fix_size_l2: [methods.fix_size_l2({ fix_kv_size: size, keep_ratio: 0 }), lowestNorms(0, size, 0)],
    random: [methods.fix_size_l2({ fix_kv_size: size, keep_ratio: 0.5, strategy: "random" }), byLot(size, half)],
    streaming_llm: [methods.streaming_llm({ start_size: 2, recent_size: size - 2 }), sinksAndRecent(2, size - 2)],
  };
  return Object.entries(made).map(([name, [policy, method]]) => ({ name, policy, method }));
}
