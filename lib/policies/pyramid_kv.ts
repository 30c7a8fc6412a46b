import { integer } from "../util/check_options.ts";
import { ratio } from "./check_params.ts";
import { definePolicy } from "./policy.ts";
import { keyNorm, neg } from "./score.ts";

/** Profiles by which the budget falls from the first layer to the last, in entries, before the lower bound applies. */
export const PROFILES: Readonly<Record<string, (at: PyramidLayer) => number>> = {
  exponential: ({ base, decay, layer }) => Math.trunc(base * decay ** layer),
  linear: ({ base, min, layer, layers }) => Math.trunc(base - layer * (base - min) / Math.max(layers - 1, 1)),
  constant: ({ base }) => base,
};

/** Input of a {@linkcode PROFILES} function. */
export interface PyramidLayer {
  /** Entries of the first layer. */
  readonly base: number;
  /** Factor from one layer to the next. */
  readonly decay: number;
  /** Entries no layer falls below. */
  readonly min: number;
  /** Index of the layer. */
  readonly layer: number;
  /** Layers of the model. */
  readonly layers: number;
}

/**
 * Gives lower layers, whose attention is spread wide, a larger budget than higher ones. Each layer keeps a few sinks, a
 * recent half, and the lowest key norms between. PyramidKV: Cai et al. 2024, arXiv:2406.02069, with the key norm in
 * place of attention.
 *
 * - `base_size`: entries of layer 0; `min_size`: entries that no layer falls below;
 * - `layer_decay`: factor from layer to layer, `exponential` only;
 * - `profile`: `exponential`, `linear` or `constant`.
 *
 * @example
 * ```ts
 * import { pyramidKv } from "./pyramid_kv.ts";
 *
 * const policy = pyramidKv({ base_size: 256, layer_decay: 0.9, min_size: 64 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 257 })); // { sink: 4, heavy: 100, recent: 103 }
 * ```
 */
export const pyramidKv = definePolicy({
  name: "pyramid_kv",
  params: { base_size: 512, layer_decay: 0.9, min_size: 64, profile: "exponential" },
  keep: ({ base_size: base, layer_decay: decay, min_size: min, profile }) => {
    const budget = Object.hasOwn(PROFILES, profile) ? PROFILES[profile] : undefined;
    if (budget === undefined) {
      const known = Object.keys(PROFILES).join(", ");
      throw new RangeError(`Cannot make pyramid_kv: profile ${profile} is not one of ${known}`);
    }
    return ({ layer, layers, entries }) => {
      const size = Math.max(budget({ base, decay, min, layer, layers }), min);
      if (entries <= size) return "all";
      const sink = Math.min(4, Math.trunc(size / 8));
      const recent = Math.trunc(size / 2);
      const heavy = size - sink - recent;
      return heavy > 0 ? { sink, heavy, recent } : { sink: 0, heavy: 0, recent: size };
    };
  },
  score: () => neg(keyNorm),
}, { base_size: integer(0), layer_decay: ratio, min_size: integer(0) });
