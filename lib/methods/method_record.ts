import type { FlagSpec } from "../flags/spec.ts";
import { integers } from "../flags/ranges.ts";
import type { FlagReader } from "../flags/values.ts";
import type { Budget, BudgetShape, PolicyMaker } from "../policies/budget.ts";
import type { Policy } from "../policies/policy.ts";
import type { MethodName } from "../policies/registry.ts";
import type { MadeConfiguration } from "../run/plan/configuration.ts";

/** A configuration and the size of its control group; undefined where the size is not fixed. */
export interface Planned extends MadeConfiguration {
  readonly control?: number;
}

/** A configuration whose policy is made for a budget. */
export interface PlannedAt {
  readonly name: string;
  readonly policy: PolicyMaker;
}

/** What the command line and the engine benchmark know of a method, in addition to its policy. `F`: flags that it reads. */
export interface MethodRecord<F> {
  /** Turns flags into configurations, in the order of the table. */
  readonly expand: (flags: F) => Planned[];
  /**
   * Turns flags into configurations at a budget, which takes the place of the flags for sizes. Undefined for the full
   * cache.
   */
  readonly expandAt?: (budget: Budget, flags: F) => PlannedAt[];
  /**
   * Checks its flags against each other.
   *
   * @returns Warnings, one line each.
   * @throws {InputError} Naming the flags that do not go together.
   */
  readonly effects?: (flags: F) => string[];
  /** Checks its flags against a size. `asked` is the flag that asks for it, with its value. */
  readonly effectsAt?: (size: number, flags: F, asked: string) => string[];
  /** For a method that `--compare_papers` runs: its configuration with one of `--cache_sizes`. */
  readonly atCacheSize?: (size: number, flags: F) => Planned;
  /**
   * The policy that holds `budget` entries, with the proportions of the defaults; undefined for the full cache. Without
   * a shape, the budget is the most that a layer holds, or its mean over all layers.
   */
  readonly atBudget?: (budget: number, shape?: BudgetShape) => Policy;
}

/** A method of `--cache_sizes`. */
interface BySize<F> extends Pick<MethodRecord<F>, "effectsAt"> {
  /** Name of its configurations, to which the size is added. */
  readonly name: string;
  /** The policy of a size. */
  readonly policyAt: (size: number, flags: F) => Policy;
  /** The policy that holds a budget; that of the same size if left out. */
  readonly policyFor?: (entries: number, shape: BudgetShape, flags: F) => Policy;
  readonly atBudget: Required<MethodRecord<F>>["atBudget"];
}

/** A record of a method of `--cache_sizes`: a configuration for each of them. */
export function byCacheSize<F extends { readonly cache_sizes: readonly number[] }>(
  { name, policyAt, policyFor, effectsAt, atBudget }: BySize<F>,
): MethodRecord<F> & Required<Pick<MethodRecord<F>, "atCacheSize" | "expandAt">> {
  const atCacheSize = (size: number, flags: F) => ({
    name: `${name}_${size}`,
    policy: policyAt(size, flags),
    control: size,
  });
  return {
    atCacheSize,
    atBudget,
    expand: (flags) => flags.cache_sizes.map((size) => atCacheSize(size, flags)),
    expandAt: (budget, flags) => [{
      name: `${name}_${budget}`,
      policy: (entries, shape) => policyFor?.(entries, shape, flags) ?? policyAt(entries, flags),
    }],
    ...(effectsAt
      ? {
        effectsAt,
        effects: (flags) => flags.cache_sizes.flatMap((size) => effectsAt(size, flags, `--cache_sizes ${size}`)),
      }
      : {}),
  };
}

/** A flag that takes a list of numbers. */
export function list(read: FlagReader<readonly number[]>, fallback: readonly number[]) {
  return { value: "LIST", read, default: fallback } satisfies Partial<FlagSpec<readonly number[]>>;
}

/** A flag for the sizes of some methods, of which each is measured. */
export function sizes(fallback: readonly number[], methods: readonly MethodName[]) {
  return { ...list(integers(1), fallback), methods, isSize: true } satisfies Partial<FlagSpec<readonly number[]>>;
}

/** A flag that takes a number of things. */
export function count(read: FlagReader<number>, fallback: number) {
  return { value: "N", read, default: fallback } satisfies Partial<FlagSpec<number>>;
}

/** What is said where a flag leaves nothing to choose at a size. */
export function leavesNothing(flag: string, value: number, asked: string, size: number): string {
  return `--${flag} ${value} leaves nothing of ${asked} to choose: the last ${size} are kept`;
}
