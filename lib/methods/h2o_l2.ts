import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integer, listOf } from "../flags/values.ts";
import { h2oL2 } from "../policies/h2o_l2.ts";
import type { streamingLlmFlags } from "./streaming_llm.ts";
import { count, list, type MethodRecord } from "./method_record.ts";

/** Flags of h2o_l2. */
export const h2oL2Flags = {
  heavy_hitter_sizes: {
    group: "h2o_l2",
    help: "entries kept by key norm",
    ...list(listOf(integer(1)), [32, 64, 128]),
    methods: ["h2o_l2"],
  },
  h2o_recent_size: { group: "h2o_l2", help: "last entries kept", ...count(integer(1), 444), methods: ["h2o_l2"] },
} satisfies { heavy_hitter_sizes: FlagSpec<readonly number[]>; h2o_recent_size: FlagSpec<number> };

/** Sinks, entries by key norm, and a window. */
export const h2oL2Record: MethodRecord<
  ValuesOf<typeof h2oL2Flags> & Pick<ValuesOf<typeof streamingLlmFlags>, "start_size">
> = {
  expand: ({ start_size, heavy_hitter_sizes, h2o_recent_size: recent_size }) =>
    heavy_hitter_sizes.map((heavy_hitter_size) => {
      const control = start_size + heavy_hitter_size + recent_size;
      return { name: `h2o_l2_${control}`, policy: h2oL2({ start_size, heavy_hitter_size, recent_size }), control };
    }),
  atBudget: (budget) => {
    const heavy_hitter_size = Math.trunc((budget - 4) / 8);
    return h2oL2({ start_size: 4, heavy_hitter_size, recent_size: budget - 4 - heavy_hitter_size });
  },
};
