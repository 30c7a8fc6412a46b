import type { KeepTable } from "../../cache/schedule.ts";

/**
 * Returns the first step of a quality pass before which every configuration that ever evicts has evicted: from there on
 * all of them are compared under compression. Before it, a large budget is the full cache.
 *
 * @example
 * ```ts
 * import { tabulate } from "../../cache/schedule.ts";
 * import { methods } from "../../policies/registry.ts";
 * import { evictedFrom } from "./evicted_from.ts";
 *
 * const table = (cache_size: number) =>
 *   tabulate(methods.tova({ cache_size }), { layers: 4 }, [], [[{ tokens: 1, times: 100 }]]);
 * console.log(evictedFrom([table(20), table(64), table(500)], 100)); // 65
 * ```
 *
 * @param tables What each configuration keeps.
 * @param steps Steps of the pass, one token each.
 * @returns The step, from 0; null if no configuration evicts before the last step.
 */
export function evictedFrom(tables: readonly KeepTable[], steps: number): number | null {
  // Counts rise by one until a layer acts, so the smallest count at which it acts is its first eviction.
  const first = tables.map(({ layers }) =>
    layers.reduce((least, rows) => rows.reduce((least, [entries]) => Math.min(least, entries), least), Infinity)
  );
  const evicting = first.filter((entries) => entries < steps);
  return evicting.length === 0 ? null : Math.max(...evicting);
}
