import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { choice, integer, ratio } from "../flags/values.ts";
import { PROFILES, pyramidKv } from "../policies/pyramid_kv.ts";
import { holdMean } from "./_hold_mean.ts";
import { count, type MethodRecord, sizes } from "./method_record.ts";

/** Flags of pyramid_kv. */
export const pyramidKvFlags = {
  base_sizes: {
    group: "pyramid_kv",
    help: "entries kept in the first layer",
    ...sizes([256, 512], ["pyramid_kv"]),
  },
  layer_decay: {
    group: "pyramid_kv",
    help: "factor from layer to layer, exponential only",
    value: "X",
    read: ratio,
    default: 0.9,
    methods: ["pyramid_kv"],
  },
  min_size: {
    group: "pyramid_kv",
    help: "entries every layer may keep",
    ...count(integer(1), 64),
    methods: ["pyramid_kv"],
  },
  pyramid_profile: {
    group: "pyramid_kv",
    help: `how sizes fall over the layers: ${Object.keys(PROFILES).join(", ")}`,
    value: "NAME",
    read: choice(Object.keys(PROFILES)),
    default: "exponential",
    methods: ["pyramid_kv"],
  },
} satisfies {
  base_sizes: FlagSpec<readonly number[]>;
  layer_decay: FlagSpec<number>;
  min_size: FlagSpec<number>;
  pyramid_profile: FlagSpec<string>;
};

/** Less and less from the first layer to the last, by key norm. */
export const pyramidKvRecord: MethodRecord<ValuesOf<typeof pyramidKvFlags>> = {
  expand: ({ base_sizes, layer_decay, min_size, pyramid_profile: profile }) =>
    base_sizes.map((base_size) => ({
      name: `pyramid_${base_size}`,
      policy: pyramidKv({ base_size, layer_decay, min_size, profile }),
      control: base_size,
    })),
  effects: ({ base_sizes, min_size }) =>
    base_sizes.filter((base) => base < min_size).map((base) =>
      `--base_sizes ${base} is under --min_size ${min_size}: every layer keeps ${min_size}`
    ),
  expandAt: (budget, { layer_decay, min_size, pyramid_profile: profile }) => [{
    name: `pyramid_${budget}`,
    policy: (entries, shape) => {
      const least = Math.min(min_size, entries);
      return holdMean(entries, shape, (base_size) => pyramidKv({ base_size, layer_decay, min_size: least, profile }));
    },
  }],
  effectsAt: (size, { min_size }, asked) =>
    size < min_size ? [`${asked} is under --min_size ${min_size}: every layer keeps ${size}`] : [],
  atBudget: (budget, shape) =>
    holdMean(budget, shape, (base_size) => pyramidKv({ base_size, min_size: Math.min(64, budget) })),
};
