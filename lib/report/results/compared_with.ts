import type { RunConfig } from "./types.ts";

/**
 * Returns the name of the configuration that the others of a run are compared with.
 *
 * @example
 * ```ts
 * import { comparedWith } from "./compared_with.ts";
 *
 * console.log(comparedWith({}), comparedWith({ compared_with: "float32" })); // baseline float32
 * ```
 *
 * @param config The run's settings; none for figures without them.
 * @returns The name; there may be no such configuration.
 */
export function comparedWith(config: Pick<RunConfig, "compared_with"> | undefined): string {
  return config?.compared_with ?? "baseline";
}
