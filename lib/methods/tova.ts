import { tova } from "../policies/tova.ts";
import type { PaperFlags } from "./_papers.ts";
import { byCacheSize } from "./method_record.ts";

/** What the newest query pays most attention. */
export const tovaRecord = byCacheSize<PaperFlags>({
  name: "tova",
  policyAt: (cache_size) => tova({ cache_size }),
  atBudget: (cache_size) => tova({ cache_size }),
});
