import type { MadeConfiguration } from "./configuration.ts";

/** Longest title, characters; a longer one is replaced by the number of methods. */
const LONGEST = 60;

/**
 * Returns the name in results.json of a run without a given name: its methods without control groups. A run of several
 * methods is never named after one of them.
 *
 * @example
 * ```ts
 * import { methods } from "../../policies/registry.ts";
 * import { runTitle } from "./run_title.ts";
 *
 * console.log(runTitle([
 *   { name: "baseline", policy: methods.baseline() },
 *   { name: "tova_64", policy: methods.tova({ cache_size: 64 }) },
 *   { name: "h2o_64", policy: methods.h2o({ heavy_size: 32, recent_size: 32 }) },
 * ])); // tova+h2o
 * ```
 *
 * @param configurations At least one.
 * @returns The methods' names joined by "+", or their number if that is too long.
 */
export function runTitle(configurations: readonly MadeConfiguration[]): string {
  const names = [...new Set(configurations.map(({ policy }) => policy.method))];
  const methods = names.filter((method) => !isControl(method));
  if (methods.length === 0) return names.find((method) => method === "recent_only") ?? names[0]!;
  const title = methods.join("+");
  return title.length <= LONGEST || methods.length === 1 ? title : `${methods.length}_methods`;
}

/** Whether a method is a control group. */
export function isControl(method: string): boolean {
  return method === "baseline" || method === "recent_only";
}
