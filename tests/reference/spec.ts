/**
 * A decoder of any family in plain loops over float64, over a cache with eviction. It takes names and settings from the
 * family's file, and computes with nothing else in lib. families.test.ts compares it with the reference
 * implementation's logits, so that it can replace that one when entries are dropped.
 */
import { type Affine, type ModelSpec, type Norm, scoreScale } from "../../lib/model/spec.ts";
import type { ReferenceCache } from "./cache.ts";
import { attend, type Numbering, rounded, type Seen } from "./decoder.ts";
import { add, gelu, geluTanh, linear, type Weights } from "./neox.ts";
import type { Place, Rounding } from "./rounding.ts";

const ACTIVATIONS: Record<ModelSpec["activation"], (x: number) => number> = {
  gelu,
  gelu_tanh: geluTanh,
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
};

/** Runs tokens of the text through a model over a cache, from which the caller evicts. */
export class SpecDecoder {
  constructor(
    readonly spec: ModelSpec,
    readonly weights: Weights,
    readonly cache: ReferenceCache,
    readonly numbering: Numbering = "absolute",
    /** Where it rounds, if it is to be a decoder of another type; weights are rounded by the caller. */
    readonly round?: Rounding,
  ) {}

  /**
   * Runs the text's next token.
   *
   * @param left Tokens of its pass from it to the last.
   */
  step(id: number, wantsLogits = false, left = 1): { layers: readonly Seen[]; logits: Float64Array } {
    const { spec, cache, numbering, weights } = this;
    const { hidden, projected, learned } = spec;
    const index = cache.tokens;
    const position = numbering === "seed" ? cache.rows[0]![0]!.length : index;
    const width = projected?.width ?? hidden;
    let x: Float64Array = weights(spec.embedding).slice(id * width, (id + 1) * width);
    if (projected) x = this.#linear(x, projected.in, hidden);
    const scale = this.#round("embedding scale", Float64Array.of(spec.embeddingScale ?? 1))[0]!;
    x = this.#round("embedding", x.map((v) => v * scale));
    const sum = (a: Float64Array, b: Float64Array) => this.#round("residual", add(a, b));
    if (learned) {
      const row = position + learned.offset;
      x = sum(x, weights(learned.weight).slice(row * hidden, (row + 1) * hidden));
    }
    const seen: Seen[] = [];
    for (let layer = 0; layer < spec.layers; layer++) {
      const { attention, mlp } = spec.block(layer);
      const post = spec.residual === "post";
      const read = post ? x : this.#norm(x, attention.norm);
      const [queries, keys, values] = this.#heads(read, attention.qkv);
      const normed = (all: Float64Array[], which: "query" | "key") =>
        attention.headNorms ? all.map((head) => this.#norm(head, attention.headNorms![which])) : all;
      const length = (numbering === "cache" ? cache.rows[layer]![0]!.length : position) + left;
      const result = attend(
        cache,
        layer,
        { queries: normed(queries, "query"), keys: normed(keys, "key"), values },
        { index, position, numbering, window: spec.window?.(layer), scale: scoreScale(spec, layer), round: this.round },
        (vector, at) => this.#rotate(vector, at, length),
      );
      seen.push(result.seen);
      const attended = this.#linear(result.attended, attention.out, hidden, "inner product");
      const mid = post ? this.#norm(sum(x, attended), attention.norm) : sum(x, attended);
      const wide = post ? mid : mlp.norm ? this.#norm(spec.residual === "parallel" ? x : mid, mlp.norm) : read;
      const up = this.#linear(wide, mlp.up, spec.intermediate, "inner product");
      const activation = ACTIVATIONS[spec.activation];
      const gate = mlp.gate &&
        this.#round("gate", this.#linear(wide, mlp.gate, spec.intermediate, "inner product").map(activation));
      const active = this.#round("activation", gate ? up.map((v, i) => v * gate[i]!) : up.map(activation));
      const down = this.#linear(active, mlp.down, hidden, "inner product");
      x = post ? this.#norm(sum(mid, down), mlp.norm!) : sum(mid, down);
    }
    cache.tokens = index + 1;
    if (!wantsLogits) return { layers: seen, logits: new Float64Array() };
    let last = spec.finalNorm ? this.#norm(x, spec.finalNorm) : x;
    if (projected) last = this.#linear(last, projected.out, width);
    return { layers: seen, logits: this.#linear(last, spec.head, spec.vocab, "logit") };
  }

  /** A token's queries, keys and values by head. */
  #heads(x: Float64Array, qkv: ReturnType<ModelSpec["block"]>["attention"]["qkv"]): [
    Float64Array[],
    Float64Array[],
    Float64Array[],
  ] {
    const { heads, kvHeads, headDim } = this.spec;
    const cut = (all: Float64Array, count: number, at: (head: number) => number) =>
      Array.from({ length: count }, (_, head) => all.slice(at(head) * headDim, (at(head) + 1) * headDim));
    if (!("packed" in qkv)) {
      const of = (affine: Affine, count: number) =>
        cut(this.#linear(x, affine, count * headDim), count, (head) => head);
      return [of(qkv.query, heads), of(qkv.key, kvHeads), of(qkv.value, kvHeads)];
    }
    const all = this.#linear(x, qkv.packed, 3 * heads * headDim);
    const part = (which: number) =>
      cut(all, heads, (head) => qkv.order === "heads" ? 3 * head + which : which * heads + head);
    return [part(0), part(1), part(2)];
  }

  #round(place: Place, x: Float64Array): Float64Array {
    return rounded(this.round, place, x);
  }

  /** A matrix product, `out` numbers. */
  #linear(
    x: Float64Array,
    { weight, bias, transposed }: Affine,
    out: number,
    place: Place = "product",
  ): Float64Array {
    const shift = bias === undefined ? undefined : this.weights(bias);
    const stored = this.weights(weight);
    if (!transposed) return this.#round(place, linear(x, stored, shift, out));
    const y = Float64Array.from({ length: out }, (_, o) => shift?.[o] ?? 0);
    for (let i = 0; i < x.length; i++) {
      for (let o = 0; o < out; o++) y[o]! += x[i]! * stored[i * out + o]!;
    }
    return this.#round(place, y);
  }

  #norm(x: Float64Array, norm: Norm): Float64Array {
    const { kind, eps, plusOne } = this.spec.norm;
    const mean = kind === "rms" ? 0 : x.reduce((a, b) => a + b, 0) / x.length;
    const size = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length + eps);
    const weight = norm === "plain" ? undefined : this.weights(norm.weight);
    const bias = norm === "plain" || norm.bias === undefined ? undefined : this.weights(norm.bias);
    const by = !plusOne ? weight : this.#round("norm weight", (weight ?? new Float64Array(x.length)).map((w) => w + 1));
    return this.#round("norm", x.map((v, i) => (v - mean) / size * (by?.[i] ?? 1) + (bias?.[i] ?? 0)));
  }

  #rotate(x: Float64Array, position: number, length: number): Float64Array {
    const { rope } = this.spec;
    if (!rope) return x;
    const { dim, frequencies, magnitude = 1, growth } = rope;
    const grown = growth && length > growth.from ? growth.factor * length / growth.from - growth.factor + 1 : 1;
    const y = x.slice();
    for (let i = 0; i < dim / 2; i++) {
      const angle = position * frequencies[i]! * (grown > 1 ? grown ** (-2 * i / (dim - 2)) : 1);
      const [cos, sin] = this.#round(
        "cosine",
        Float64Array.of(magnitude * Math.cos(angle), magnitude * Math.sin(angle)),
      ) as unknown as [number, number];
      y[i] = x[i]! * cos - x[i + dim / 2]! * sin;
      y[i + dim / 2] = x[i + dim / 2]! * cos + x[i]! * sin;
    }
    return y;
  }
}
