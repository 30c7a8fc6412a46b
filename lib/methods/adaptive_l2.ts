import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integer } from "../flags/values.ts";
import { adaptiveL2 } from "../policies/adaptive_l2.ts";
import { InputError } from "../util/errors.ts";
import { count, type MethodRecord, sizes } from "./method_record.ts";

/** Flags of adaptive_l2. */
export const adaptiveL2Flags = {
  target_sizes: {
    group: "adaptive_l2",
    help: "entries kept once over the hard limit",
    ...sizes([256, 512], ["adaptive_l2"]),
  },
  soft_limit: {
    group: "adaptive_l2",
    help: "entries up to which nothing is dropped",
    ...count(integer(1), 256),
    methods: ["adaptive_l2"],
    isSize: true,
  },
  hard_limit: {
    group: "adaptive_l2",
    help: "entries above which the target size applies",
    ...count(integer(1), 1024),
    methods: ["adaptive_l2"],
    isSize: true,
  },
} satisfies {
  target_sizes: FlagSpec<readonly number[]>;
  soft_limit: FlagSpec<number>;
  hard_limit: FlagSpec<number>;
};

/** More gently or harder as the cache grows, by key norm. */
export const adaptiveL2Record: MethodRecord<ValuesOf<typeof adaptiveL2Flags>> = {
  expand: ({ target_sizes, soft_limit, hard_limit }) =>
    target_sizes.map((target_size) => ({
      name: `adaptive_${target_size}`,
      policy: adaptiveL2({ target_size, soft_limit, hard_limit }),
      control: target_size,
    })),
  effects: ({ soft_limit, hard_limit }) => {
    if (soft_limit <= hard_limit) return [];
    throw new InputError(
      `Cannot use --soft_limit ${soft_limit}: it is over --hard_limit ${hard_limit}; ` +
        "give a smaller --soft_limit or a larger --hard_limit",
    );
  },
  expandAt: (budget) => [{ name: `adaptive_${budget}`, policy: atBudget }],
  atBudget,
};

/** Token by token it stays at its soft limit; a prompt over the hard limit is cut to the target, which is the same. */
function atBudget(soft_limit: number) {
  return adaptiveL2({ target_size: soft_limit, soft_limit, hard_limit: 2 * soft_limit });
}
