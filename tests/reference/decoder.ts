/**
 * GPT-NeoX in float64 over a cache with eviction: token by token, with the attention of every query reported to the
 * cache.
 */
import { add, layerNorm, linear, type Neox, rotate, type Weights } from "./neox.ts";
import type { ReferenceCache } from "./cache.ts";
import type { Place, Rounding } from "./rounding.ts";

/** How tokens are numbered: by their index in the text, their place in the cache, or the entries of layer 0. */
export type Numbering = "absolute" | "cache" | "seed";

/** One token's queries, keys and values, by head, not rotated. */
export interface TokenHeads {
  readonly queries: readonly Float64Array[];
  readonly keys: readonly Float64Array[];
  readonly values: readonly Float64Array[];
}

/** What one token adds to a layer, to be repeated in another cache. */
export interface Seen {
  readonly keys: readonly Float64Array[];
  readonly values: readonly Float64Array[];
  /** `[heads][entries]`. */
  readonly weights: readonly Float64Array[];
}

/**
 * Attention of one token, `[heads * headDim]`: its key and value go to the cache, and the attention of its queries is
 * recorded. The cache holds rotated keys, or unrotated ones if places in it are the positions.
 */
export function attend(
  cache: ReferenceCache,
  layer: number,
  { queries, keys, values }: TokenHeads,
  token: {
    readonly index: number;
    readonly position: number;
    readonly numbering: Numbering;
    /** How far back a token sees, itself included: in the text, or in the cache where positions do not follow the text. */
    readonly window?: number | undefined;
    /** Factor of the scores: 1 / sqrt(headDim) if omitted. */
    readonly scale?: number;
    /** Left out where nothing is rounded. */
    readonly round?: Rounding | undefined;
  },
  turn: (vector: Float64Array, position: number) => Float64Array,
): { readonly attended: Float64Array; readonly seen: Seen } {
  const { index, numbering, window = Infinity, round } = token;
  const byPlace = numbering === "cache";
  const turned = (key: Float64Array, position: number) => rounded(round, "rotated key", turn(key, position));
  const cached = keys.map((key) => byPlace ? key : turned(key, token.position));
  cached.forEach((key, kvHead) => cache.append(layer, kvHead, index, key, values[kvHead]!));
  const headDim = queries[0]!.length;
  const { scale: exact = 1 / Math.sqrt(headDim) } = token;
  const scale = round ? round("score scale", exact) : exact;
  const attended = new Float64Array(queries.length * headDim);
  const weights = queries.map((query, head) => {
    const entries = cache.rows[layer]![Math.floor(head * keys.length / queries.length)]!;
    const place = byPlace ? entries.length - 1 : token.position;
    const scaled = rounded(
      round,
      "scaled query",
      rounded(round, "rotated query", turn(query, place)).map((x) => x * scale),
    );
    const scores = entries.map(({ key, index: born }, rank) => {
      const distance = numbering === "absolute" ? index - born : entries.length - 1 - rank;
      if (distance >= window) return -Infinity;
      const read = byPlace ? turned(key as Float64Array, rank) : key;
      let sum = 0, size = 0;
      for (let i = 0; i < headDim; i++) {
        const product = scaled[i]! * read[i]!;
        sum += product;
        size += product * product;
      }
      cache.sharpest = Math.max(cache.sharpest, Math.sqrt(size));
      return round ? round("score", sum) : sum;
    });
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const total = powers.reduce((a, b) => a + b, 0);
    const paid = rounded(round, "probability", Float64Array.from(powers, (power) => power / total));
    entries.forEach(({ value }, rank) => {
      for (let i = 0; i < headDim; i++) attended[head * headDim + i]! += paid[rank]! * value[i]!;
    });
    return paid;
  });
  cache.observe(layer, index, weights);
  return { attended: rounded(round, "attended", attended), seen: { keys: cached, values, weights } };
}

/** Rounds all numbers of a place, if anything is rounded. */
export function rounded(round: Rounding | undefined, place: Place, x: Float64Array): Float64Array {
  return round ? x.map((x) => round(place, x)) : x;
}

/** Repeats in a cache what a token did to another one: `[layers]`. */
export function again(cache: ReferenceCache, index: number, layers: readonly Seen[]): void {
  layers.forEach(({ keys, values, weights }, layer) => {
    keys.forEach((key, kvHead) => cache.append(layer, kvHead, index, key, values[kvHead]!));
    cache.observe(layer, index, weights);
  });
  cache.tokens = index + 1;
}

/** Runs tokens of the text through a model over a cache, from which the caller evicts. */
export class ReferenceDecoder {
  constructor(
    readonly model: Neox,
    readonly weights: Weights,
    readonly cache: ReferenceCache,
    readonly numbering: Numbering = "absolute",
  ) {}

  /** Runs the text's next token. Logits only if requested: they cost a product. */
  step(id: number, wantsLogits = false): { readonly layers: readonly Seen[]; readonly logits: Float64Array } {
    const { model, cache, numbering, weights } = this;
    const { hidden, heads, intermediate } = model;
    const headDim = hidden / heads;
    const index = cache.tokens;
    const position = numbering === "seed" ? cache.rows[0]![0]!.length : index;
    const seen: Seen[] = [];
    let x: Float64Array = weights("gpt_neox.embed_in.weight").slice(id * hidden, (id + 1) * hidden);
    for (let layer = 0; layer < model.layers; layer++) {
      const at = `gpt_neox.layers.${layer}`;
      const bias = (name: string) => model.attentionBias ? weights(`${at}.${name}.bias`) : undefined;
      const norm = (name: string, row: Float64Array) =>
        layerNorm(row, weights(`${at}.${name}.weight`), weights(`${at}.${name}.bias`), model.eps);
      const product = (name: string, row: Float64Array, width: number) =>
        linear(row, weights(`${at}.${name}.weight`), weights(`${at}.${name}.bias`), width);
      const qkv = linear(
        norm("input_layernorm", x),
        weights(`${at}.attention.query_key_value.weight`),
        bias("attention.query_key_value"),
        3 * hidden,
      );
      const part = (which: number) =>
        Array.from({ length: heads }, (_, h) => qkv.slice((h * 3 + which) * headDim, (h * 3 + which + 1) * headDim));
      const result = attend(
        cache,
        layer,
        { queries: part(0), keys: part(1), values: part(2) },
        { index, position, numbering },
        (vector, position) => rotate(vector, position, model),
      );
      seen.push(result.seen);
      const dense = weights(`${at}.attention.dense.weight`);
      const mid = add(x, linear(result.attended, dense, bias("attention.dense"), hidden));
      const wide = product(
        "mlp.dense_h_to_4h",
        norm("post_attention_layernorm", model.parallel ? x : mid),
        intermediate,
      );
      x = add(mid, product("mlp.dense_4h_to_h", wide.map(model.activation), hidden));
    }
    cache.tokens = index + 1;
    const last = layerNorm(
      x,
      weights("gpt_neox.final_layer_norm.weight"),
      weights("gpt_neox.final_layer_norm.bias"),
      model.eps,
    );
    const head = wantsLogits ? weights(model.tied ? "gpt_neox.embed_in.weight" : "embed_out.weight") : undefined;
    return { layers: seen, logits: head ? linear(last, head, undefined, model.vocab) : new Float64Array() };
  }
}
