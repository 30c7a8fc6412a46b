import type { Configuration } from "./configuration.ts";

/** A title with more characters says how many methods there are. */
const LONGEST = 60;

/**
 * What results.json calls a run that nobody named: its methods, the control groups aside. A run of several is never called
 * by one of them.
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
 * @returns The methods' names joined by "+", or their number where that is long.
 */
export function runTitle(configurations: readonly Configuration[]): string {
  const names = [...new Set(configurations.map(({ policy }) => policy.method))];
  const methods = names.filter((method) => !isControl(method));
  if (methods.length === 0) return names.find((method) => method === "recent_only") ?? names[0]!;
  const title = methods.join("+");
  return title.length <= LONGEST || methods.length === 1 ? title : `${methods.length}_methods`;
}

/** Whether a method is what others are held against. */
export function isControl(method: string): boolean {
  return method === "baseline" || method === "recent_only";
}
