import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { sizes } from "./method_record.ts";

/** Heading of the flags of methods as their papers define them. */
export const PAPERS = "h2o, tova, snapkv, pyramid_snapkv, keydiff";

/** The flag that these methods share. */
export const paperFlags = {
  cache_sizes: {
    group: PAPERS,
    help: "entries kept",
    ...sizes([256, 512], ["h2o", "tova", "snapkv", "pyramid_snapkv", "keydiff"]),
  },
} satisfies { cache_sizes: FlagSpec<readonly number[]> };

/** Its value. */
export type PaperFlags = ValuesOf<typeof paperFlags>;
