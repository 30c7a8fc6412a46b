import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integer } from "../flags/values.ts";
import { h2oL2 } from "../policies/h2o_l2.ts";
import { sinkEffects, type streamingLlmFlags } from "./streaming_llm.ts";
import { count, type MethodRecord, sizes } from "./method_record.ts";

/** Flags of h2o_l2. */
export const h2oL2Flags = {
  heavy_hitter_sizes: {
    group: "h2o_l2",
    help: "entries kept by key norm",
    ...sizes([32, 64, 128], ["h2o_l2"]),
  },
  h2o_recent_size: {
    group: "h2o_l2",
    help: "last entries kept",
    ...count(integer(1), 444),
    methods: ["h2o_l2"],
    isSize: true,
  },
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
  expandAt: (budget, { start_size }) => [{ name: `h2o_l2_${budget}`, policy: (entries) => of(entries, start_size) }],
  effectsAt: sinkEffects,
  atBudget: (budget) => of(budget, Math.min(4, budget - 1)),
};

/** An eighth of what the sinks leave is kept by key norm, as with the default sizes. */
function of(budget: number, start_size: number) {
  const heavy_hitter_size = Math.trunc((budget - start_size) / 8);
  return h2oL2({ start_size, heavy_hitter_size, recent_size: budget - start_size - heavy_hitter_size });
}
