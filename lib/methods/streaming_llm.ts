import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integer } from "../flags/values.ts";
import { streamingLlm } from "../policies/streaming_llm.ts";
import { InputError } from "../util/errors.ts";
import { count, type MethodRecord, sizes } from "./method_record.ts";

/** Flags of streaming_llm; h2o_l2 has sinks too. */
export const streamingLlmFlags = {
  start_size: {
    group: "streaming_llm, h2o_l2",
    help: "first entries kept (attention sinks)",
    ...count(integer(0), 4),
    methods: ["streaming_llm", "h2o_l2"],
  },
  recent_sizes: {
    group: "streaming_llm",
    help: "last entries kept",
    ...sizes([252, 508, 1020], ["streaming_llm"]),
  },
} satisfies { start_size: FlagSpec<number>; recent_sizes: FlagSpec<readonly number[]> };

/** Attention sinks and a window. */
export const streamingLlmRecord = {
  expand: ({ start_size, recent_sizes }) =>
    recent_sizes.map((recent_size) => {
      const control = start_size + recent_size;
      return { name: `streaming_${control}`, policy: streamingLlm({ start_size, recent_size }), control };
    }),
  atCacheSize: (size, { start_size }) => ({
    name: `streaming_${size}`,
    policy: streamingLlm({ start_size, recent_size: size - start_size }),
    control: size,
  }),
  expandAt: (budget, { start_size }) => [{
    name: `streaming_${budget}`,
    policy: (entries) => streamingLlm({ start_size, recent_size: entries - start_size }),
  }],
  effectsAt: sinkEffects,
  atBudget: (budget) => {
    const start_size = Math.min(4, budget - 1);
    return streamingLlm({ start_size, recent_size: budget - start_size });
  },
} satisfies MethodRecord<ValuesOf<typeof streamingLlmFlags>>;

/** Refuses a size that the sinks fill. */
export function sinkEffects(size: number, { start_size }: { readonly start_size: number }, asked: string): string[] {
  if (start_size < size) return [];
  throw new InputError(`Cannot use --start_size ${start_size} with ${asked}: nothing is left for the last entries`);
}
