import { comparedWith } from "../results/compared_with.ts";
import type { BenchmarkResults, RawResult } from "../results/types.ts";
import { weightBytesOf } from "../results/weight_bytes.ts";
import { significant } from "./significant.ts";

const MIB = 2 ** 20;

/** Fields of results.json that {@linkcode precisionColumns} reads. */
export interface PrecisionResults extends Pick<BenchmarkResults, "comparisons"> {
  /** What was measured, by configuration and text sample. */
  raw_results: readonly RawResult[];
  /** Every configuration. */
  configurations: readonly Pick<BenchmarkResults["configurations"][number], "name" | "dtype" | "weight_bytes">[];
}

/**
 * Lists the second table's columns for configurations that have number types of their own: the weights' size, and the
 * first generated token that differs.
 *
 * @param results A run's results.
 * @param names The rows.
 * @returns Columns; none if all rows have one type, and of tokens none if they were not recorded.
 *
 * @example
 * ```ts
 * import { precisionColumns } from "./precision_columns.ts";
 *
 * console.log(precisionColumns({ configurations: [], raw_results: [] }, [])); // []
 * ```
 */
export function precisionColumns(
  { configurations, raw_results, comparisons = {} }: PrecisionResults,
  names: readonly string[],
): { title: string; group: number; cells: string[] }[] {
  const weights = names.map((name) => weightBytesOf({ configurations, raw_results }, name));
  const differences = names.map((name) => comparisons[name]?.tokens?.first_difference);
  return [
    ...(configurations.some(({ dtype }) => dtype !== undefined)
      ? [{
        title: "Weights MiB",
        group: 2,
        cells: weights.map((bytes) => bytes === null ? "-" : significant(bytes / MIB, 4)),
      }]
      : []),
    ...(differences.some((all) => all !== undefined)
      ? [{ title: "First diff", group: 1, cells: differences.map((all) => all === undefined ? "-" : earliest(all)) }]
      : []),
  ];
}

function tf32Note(isUsed: boolean): string {
  return isUsed
    ? "TF32 is used (NVIDIA_TF32_OVERRIDE=1): products of float32 have 10 bits of mantissa in place of 23"
    : "TF32 is not used: products of float32 are computed in float32";
}

function earliest(all: readonly (number | null)[]): string {
  const found = all.filter((index) => index !== null);
  return found.length === 0 ? "none" : `${Math.min(...found)}`;
}

/**
 * Says what a reader of {@linkcode precisionColumns} must know: how float32 is computed, and what is counted.
 *
 * @param results A run's results.
 * @returns The lines joined by "\n"; "" if all rows have one type.
 *
 * @example
 * ```ts
 * import { precisionNotes } from "./precision_columns.ts";
 *
 * const configurations = [{ name: "float32", dtype: "float32" as const }];
 * console.log(precisionNotes({ config: { device: "cuda", tf32: false }, configurations }));
 * // TF32 is not used: products of float32 are computed in float32
 * ```
 */
export function precisionNotes(
  { config, configurations, comparisons = {} }: {
    config: Pick<BenchmarkResults["config"], "device" | "tf32" | "compared_with">;
    configurations: readonly Pick<BenchmarkResults["configurations"][number], "name" | "dtype">[];
    comparisons?: BenchmarkResults["comparisons"];
  },
): string {
  const hasTypes = configurations.some(({ dtype }) => dtype !== undefined);
  const tokens = Object.values(comparisons).flatMap(({ tokens }) => tokens ?? [])[0];
  return [
    ...(hasTypes && config.device === "cuda" && config.tf32 !== undefined ? [tf32Note(config.tf32)] : []),
    ...(tokens
      ? [
        `First diff: index, from 0, of the first greedy token that differs from ${
          comparedWith(config)
        }'s, the earliest ` +
        `of ${tokens.first_difference.length} sample${tokens.first_difference.length === 1 ? "" : "s"} of ` +
        `${tokens.tokens} tokens`,
      ]
      : []),
  ].join("\n");
}
