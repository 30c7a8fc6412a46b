import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integers } from "../flags/ranges.ts";
import { snapkvLite } from "../policies/snapkv_lite.ts";
import { leavesNothing, list, type MethodRecord, sizes } from "./method_record.ts";

/** Flags of snapkv_lite. */
export const snapkvLiteFlags = {
  observation_windows: {
    group: "snapkv_lite",
    help: "last entries kept",
    ...list(integers(1), [16, 32, 64]),
    methods: ["snapkv_lite"],
  },
  snapkv_keep_sizes: {
    group: "snapkv_lite",
    help: "entries kept",
    ...sizes([512], ["snapkv_lite"]),
  },
} satisfies { observation_windows: FlagSpec<readonly number[]>; snapkv_keep_sizes: FlagSpec<readonly number[]> };

/** A window, and entries by pooled key norm. */
export const snapkvLiteRecord: MethodRecord<ValuesOf<typeof snapkvLiteFlags>> = {
  expand: ({ snapkv_keep_sizes, observation_windows }) =>
    snapkv_keep_sizes.flatMap((keep_size) =>
      observation_windows.map((observation_window) => ({
        name: `snapkv_${keep_size}_obs${observation_window}`,
        policy: snapkvLite({ keep_size, observation_window }),
        control: keep_size,
      }))
    ),
  effects: ({ snapkv_keep_sizes, observation_windows }) =>
    snapkv_keep_sizes.flatMap((keep) =>
      observation_windows.filter((window) => window >= keep).map((window) =>
        `--observation_windows ${window} leaves nothing of --snapkv_keep_sizes ${keep} to choose: the last ${window} are kept`
      )
    ),
  expandAt: (budget, { observation_windows }) =>
    observation_windows.map((window) => ({
      name: `snapkv_${budget}_obs${window}`,
      // The method keeps its window even where that is larger.
      policy: (keep_size) => snapkvLite({ keep_size, observation_window: Math.min(window, keep_size) }),
    })),
  effectsAt: (size, { observation_windows }, asked) =>
    observation_windows.filter((window) => window >= size)
      .map((window) => leavesNothing("observation_windows", window, asked, size)),
  atBudget: (keep_size) => snapkvLite({ keep_size, observation_window: Math.min(32, Math.trunc(keep_size / 2)) }),
};
