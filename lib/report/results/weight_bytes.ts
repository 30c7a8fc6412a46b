import type { ConfigurationRecord, RawResult } from "./types.ts";

/**
 * Returns the bytes of a configuration's weights: in the type computed in, where it is recorded, else as stored.
 *
 * @example
 * ```ts
 * import { weightBytesOf } from "./weight_bytes.ts";
 *
 * const configurations = [{ name: "float16", weight_bytes: 2 ** 20 }];
 * console.log(weightBytesOf({ configurations, raw_results: [] }, "float16")); // 1048576
 * ```
 *
 * @param results A run's results.
 * @param name The configuration.
 * @returns Bytes; null if they are not known.
 */
export function weightBytesOf(
  { configurations, raw_results }: {
    configurations: readonly Pick<ConfigurationRecord, "name" | "weight_bytes">[];
    raw_results: readonly Pick<RawResult, "method" | "memory">[];
  },
  name: string,
): number | null {
  const recorded = configurations.find((record) => record.name === name)?.weight_bytes;
  return recorded ?? raw_results.find(({ method }) => method === name)?.memory?.weights ?? null;
}
