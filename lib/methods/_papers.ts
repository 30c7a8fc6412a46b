import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integer, listOf } from "../flags/values.ts";
import { list } from "./method_record.ts";

/** Heading of the flags of methods as their papers define them. */
export const PAPERS = "h2o, tova, snapkv, pyramid_snapkv, keydiff";

/** The flag that these methods share. */
export const paperFlags = {
  cache_sizes: {
    group: PAPERS,
    help: "entries kept",
    ...list(listOf(integer(1)), [256, 512]),
    methods: ["h2o", "tova", "snapkv", "pyramid_snapkv", "keydiff"],
  },
} satisfies { cache_sizes: FlagSpec<readonly number[]> };

/** Its value. */
export type PaperFlags = ValuesOf<typeof paperFlags>;
