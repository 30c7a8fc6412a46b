import { definePolicy } from "./policy.ts";

/**
 * Keeps everything: the full cache that every method is compared with.
 *
 * @example
 * ```ts
 * import { baseline } from "./baseline.ts";
 *
 * console.log(baseline().keep({ layer: 2, layers: 8, entries: 2000 })); // "all"
 * ```
 */
export const baseline = definePolicy({
  name: "baseline",
  params: {},
  keep: () => () => "all",
});
