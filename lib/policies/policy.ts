import type { Score } from "./score.ts";

/** How many entries a layer keeps: the first, the best of the middle by score, and the last. */
export interface Sizes {
  /** Entries kept from the start of what is held. */
  readonly sink: number;
  /** Entries kept from the middle, by the policy's score. */
  readonly heavy: number;
  /** Entries kept from the end. */
  readonly recent: number;
}

/** What a policy may look at to decide sizes. Never the data: sizes are known before the run. */
export interface LayerState {
  /** Index of the layer, from 0. */
  readonly layer: number;
  /** Layers of the model. */
  readonly layers: number;
  /** Entries the layer holds, the newest included. */
  readonly entries: number;
}

/** Which attention of a forward pass is added up for each entry (see METHODS in README). */
export type AttentionUse =
  /** Every query's, accumulated over the run and carried along with kept entries. */
  | { readonly from: "all"; readonly accumulate: true }
  /** The last `window` queries' of the pass. */
  | { readonly from: "last"; readonly window: number; readonly share?: "layer" };

/**
 * A cache policy with its parameters filled in: what to keep after every forward pass, in every layer that is not
 * skipped. Made by {@linkcode definePolicy}.
 */
export interface Policy {
  /** The method's name, as in `--method`. */
  readonly method: string;
  /** Parameters under the names results.json shows. */
  readonly params: Readonly<Record<string, number | string>>;
  /** Sizes to keep, or "all" for no change. Pure: the same answer for the same state. */
  readonly keep: (state: LayerState) => Sizes | "all";
  /** Needed where `heavy` can be over 0. The entries with the highest score are kept. */
  readonly score?: Score;
  /** Needed where the score reads attention. */
  readonly attention?: AttentionUse;
}

/** What {@linkcode definePolicy} takes. */
export interface PolicyDefinition<P extends Record<string, number | string>> {
  /** The method's name, as in `--method`. */
  readonly name: string;
  /** Parameters and their defaults. */
  readonly params: P;
  /** From parameters to the function that gives the sizes. */
  readonly keep: (params: P) => Policy["keep"];
  /** From parameters to the score; left out where nothing is kept by score. */
  readonly score?: (params: P) => Score;
  /** From parameters to the attention the score reads. */
  readonly attention?: (params: P) => AttentionUse;
}

/** Makes a policy from parameters; those left out have their defaults. */
export interface PolicyFactory<P extends Record<string, number | string>> {
  (params?: Partial<P>): Policy;
  /** The method's name. */
  readonly method: string;
  /** Parameters and their defaults. */
  readonly defaults: Readonly<P>;
}

/**
 * Defines a cache policy: its name, its parameters and, as pure functions, its sizes and score.
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
 */
export function definePolicy<const P extends Record<string, number | string>>(
  definition: PolicyDefinition<{ [K in keyof P]: P[K] extends number ? number : P[K] extends string ? string : P[K] }>,
): PolicyFactory<{ [K in keyof P]: P[K] extends number ? number : string }> {
  // deno-lint-ignore no-explicit-any
  const { name, params: defaults, keep, score, attention } = definition as PolicyDefinition<any>;
  // deno-lint-ignore no-explicit-any
  const make = (given: Record<string, any> = {}): Policy => {
    const params = { ...defaults, ...given };
    return {
      method: name,
      params,
      keep: keep(params),
      ...(score ? { score: score(params) } : {}),
      ...(attention ? { attention: attention(params) } : {}),
    };
  };
  // deno-lint-ignore no-explicit-any
  return Object.assign(make, { method: name, defaults }) as any;
}
