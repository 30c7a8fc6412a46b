import { callback, checkOptions, type Kind, type KnownOptions, object, required } from "../util/check_options.ts";
import { paramKinds, paramName } from "./check_params.ts";
import { scoreFault } from "./check_score.ts";
import type { Feature, Score } from "./score.ts";

/** How many entries a layer keeps: the first, the best of the middle by score, and the last. */
export interface Sizes {
  /** Entries kept from the start of the cache. */
  readonly sink: number;
  /** Entries kept from the middle, by the policy's score. */
  readonly heavy: number;
  /** Entries kept from the end of the cache. */
  readonly recent: number;
}

/** Input of a policy's sizes. It never includes the data: sizes are known before the run. */
export interface LayerState {
  /** Index of the layer, from 0. */
  readonly layer: number;
  /** Layers of the model. */
  readonly layers: number;
  /** Entries the layer holds, the newest included. */
  readonly entries: number;
}

/**
 * Which attention is added up for each entry. Attention to a KV head's entry is the mean over the query heads that read
 * it. With `share: "layer"` it is the mean over all heads of the layer, so that all KV heads choose the same entries.
 */
export type AttentionUse =
  /** From every query, accumulated over the run; kept entries keep their sums. */
  | { readonly from: "all"; readonly accumulate: true }
  /** From the last `window` queries, earlier passes included. */
  | { readonly from: "last"; readonly window: number; readonly share?: "layer" };

/**
 * A cache policy with its parameters filled in: what to keep after every forward pass, in every layer that is not
 * skipped. Made by {@linkcode definePolicy}.
 */
export interface Policy {
  /** The method's name, as in `--method`. */
  readonly method: string;
  /** Parameters, under their names in results.json. */
  readonly params: Readonly<Record<string, number | string>>;
  /** Sizes to keep, or "all" for no change. Pure: the same state always gives the same sizes. */
  readonly keep: (state: LayerState) => Sizes | "all";
  /** Required if `heavy` can be over 0. The entries with the highest score are kept. */
  readonly score?: Score;
  /** Required if the score reads attention. */
  readonly attention?: AttentionUse;
}

/** What {@linkcode definePolicy} takes. */
export type PolicyDefinition<P extends Record<string, number | string>> = PolicySizes<P> & PolicyScore<P>;

/** The part of a {@linkcode PolicyDefinition} that every policy needs. */
export interface PolicySizes<P extends Record<string, number | string>> {
  /** The method's name, as in `--method`. */
  readonly name: string;
  /** Parameters and their defaults. */
  readonly params: P;
  /** Returns the function that gives the sizes for these parameters. */
  readonly keep: (params: P) => Policy["keep"];
}

/**
 * The part of a {@linkcode PolicyDefinition} that chooses among entries. A score that reads attention must say which.
 */
export type PolicyScore<P extends Record<string, number | string>> = {
  /** Returns the score for these parameters. Omit it if nothing is kept by score. */
  readonly score?: (params: P) => Score<Exclude<Feature, "attention">>;
  readonly attention?: never;
} | {
  readonly score: (params: P) => Score;
  /** Returns the attention that the score reads, for these parameters. */
  readonly attention: (params: P) => AttentionUse;
};

// deno-lint-ignore no-explicit-any
type AnyDefinition = PolicyDefinition<any>;

const DEFINITION = {
  name: required(paramName),
  params: required(object),
  keep: required(callback),
  score: callback,
  attention: callback,
} satisfies KnownOptions<AnyDefinition>;

/** Makes a policy from parameters; omitted ones have their defaults. */
export interface PolicyFactory<P extends { [K in keyof P]: number | string }> {
  (params?: Partial<P>): Policy;
  /** The method's name. */
  readonly method: string;
  /** Parameters and their defaults. */
  readonly defaults: Readonly<P>;
}

/**
 * Defines a cache policy: its name, its parameters and, as pure functions, its sizes and score.
 *
 * A score that reads attention without `attention` does not compile. Without type checking, making the policy throws.
 * An unknown parameter throws too, and so does one of another type than its default.
 *
 * @example Keep the first 4 entries and the last 60
 * ```ts
 * import { definePolicy } from "./policy.ts";
 *
 * const sinksAndRecent = definePolicy({
 *   name: "sinks_and_recent",
 *   params: { sinks: 4, recent: 60 },
 *   keep: ({ sinks, recent }) => ({ entries }) =>
 *     entries > sinks + recent ? { sink: sinks, heavy: 0, recent } : "all",
 * });
 * const policy = sinksAndRecent({ recent: 124 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 200 })); // { sink: 4, heavy: 0, recent: 124 }
 * ```
 *
 * @param definition The policy. Sizes may depend on the layer and the count, never on the data.
 * @param kinds Valid values of parameters, where the type of the default is not enough: `{ size: { needed: "an even
 * number", fits: (value) => value % 2 === 0 } }`.
 * @returns Makes the policy from parameters.
 * @throws {InputError} For an unknown field of the definition, or one of another type.
 */
export function definePolicy<const P extends Record<string, number | string>>(
  definition: PolicyDefinition<{ [K in keyof P]: P[K] extends number ? number : P[K] extends string ? string : P[K] }>,
  kinds: { readonly [K in keyof NoInfer<P>]?: Kind } = {},
): PolicyFactory<{ [K in keyof P]: P[K] extends number ? number : string }> {
  checkOptions("definePolicy", definition, DEFINITION);
  const { name, params: defaults, keep, score, attention } = definition as AnyDefinition;
  const known = paramKinds(name, defaults, kinds);
  // deno-lint-ignore no-explicit-any
  const make = (given: Record<string, any> = {}): Policy => {
    checkOptions(name, given, known);
    // Undefined values are left out: they must not replace a default.
    const params = {
      ...defaults,
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    };
    const made: Policy = {
      method: name,
      params,
      keep: keep(params),
      ...(score ? { score: score(params) } : {}),
      ...(attention ? { attention: attention(params) } : {}),
    };
    // For scripts that are not type-checked: a mistake is easier to find here than at run time.
    const fault = scoreFault(made);
    if (fault !== undefined) throw new TypeError(`Cannot make ${name}: ${fault}`);
    return made;
  };
  // deno-lint-ignore no-explicit-any
  return Object.assign(make, { method: name, defaults }) as any;
}
