import type { FlagSpec } from "../flags/spec.ts";
import type { FlagReader } from "../flags/values.ts";
import type { Policy } from "../policies/policy.ts";
import type { Configuration } from "../run/plan/configuration.ts";

/** A configuration and the size of its control group; undefined where the size is not fixed. */
export interface Planned extends Configuration {
  readonly control?: number;
}

/** What the command line and the engine benchmark know of a method, in addition to its policy. `F`: flags that it reads. */
export interface MethodRecord<F> {
  /** Turns flags into configurations, in the order of the table. */
  readonly expand: (flags: F) => Planned[];
  /**
   * Checks its flags against each other.
   *
   * @returns Warnings, one line each.
   * @throws {InputError} Naming the flags that do not go together.
   */
  readonly effects?: (flags: F) => string[];
  /** For a method that `--compare_papers` runs: its configuration with one of `--cache_sizes`, and what to check then. */
  readonly atCacheSize?: (size: number, flags: F) => Planned;
  readonly effectsAt?: (size: number, flags: F) => string[];
  /** The policy that keeps `budget` entries, with the proportions of the defaults; undefined for the full cache. */
  readonly atBudget?: (budget: number) => Policy;
}

/** A record of a method of `--cache_sizes`: a configuration for each of them. */
export function byCacheSize<F extends { readonly cache_sizes: readonly number[] }>(
  record: Required<Pick<MethodRecord<F>, "atCacheSize" | "atBudget">> & Pick<MethodRecord<F>, "effectsAt">,
): MethodRecord<F> & Required<Pick<MethodRecord<F>, "atCacheSize">> {
  return {
    ...record,
    expand: (flags) => flags.cache_sizes.map((size) => record.atCacheSize(size, flags)),
    effects: (flags) => flags.cache_sizes.flatMap((size) => record.effectsAt?.(size, flags) ?? []),
  };
}

/** A flag that takes a list of numbers. */
export function list(read: FlagReader<readonly number[]>, fallback: readonly number[]) {
  return { value: "LIST", read, default: fallback } satisfies Partial<FlagSpec<readonly number[]>>;
}

/** A flag that takes a number of things. */
export function count(read: FlagReader<number>, fallback: number) {
  return { value: "N", read, default: fallback } satisfies Partial<FlagSpec<number>>;
}

/** What is said where a flag leaves nothing to choose at a size. */
export function leavesNothing(flag: string, value: number, size: number): string {
  return `--${flag} ${value} leaves nothing of --cache_sizes ${size} to choose: the last ${size} are kept`;
}
