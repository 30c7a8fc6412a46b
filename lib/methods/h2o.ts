import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integer, ratio } from "../flags/values.ts";
import { h2o } from "../policies/h2o.ts";
import { InputError } from "../util/errors.ts";
import { type PaperFlags, PAPERS } from "./_papers.ts";
import { byCacheSize, count } from "./method_record.ts";

/** Flags of h2o. */
export const h2oFlags = {
  heavy_ratio: {
    group: PAPERS,
    help: "h2o: share of the size kept by attention; the rest are the last entries",
    value: "X",
    read: ratio,
    default: 0.5,
    methods: ["h2o"],
  },
  sink_size: { group: PAPERS, help: "h2o: first entries kept, of the size", ...count(integer(0), 0), methods: ["h2o"] },
} satisfies { heavy_ratio: FlagSpec<number>; sink_size: FlagSpec<number> };

/** Heavy hitters by accumulated attention, and a window. */
export const h2oRecord = byCacheSize<PaperFlags & ValuesOf<typeof h2oFlags>>({
  name: "h2o",
  policyAt: (size, { heavy_ratio, sink_size: start_size }) => {
    const heavy_size = Math.trunc(size * heavy_ratio);
    return h2o({ start_size, heavy_size, recent_size: size - start_size - heavy_size });
  },
  effectsAt: (size, { heavy_ratio, sink_size }, asked) => {
    const left = size - Math.trunc(size * heavy_ratio);
    if (sink_size <= left) return [];
    throw new InputError(
      `Cannot use --sink_size ${sink_size} with ${asked} and --heavy_ratio ${heavy_ratio}: ` +
        `they leave room for ${left} at most`,
    );
  },
  atBudget: (budget) => {
    const half = Math.trunc(budget / 2);
    return h2o({ start_size: 0, heavy_size: half, recent_size: budget - half });
  },
});
