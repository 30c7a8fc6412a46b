/**
 * GPT-NeoX in plain loops over float64: the reference for the graph. Written from the paper and from what its
 * checkpoints hold, and from nothing in lib: Black et al. 2022, arXiv:2204.06745.
 */

/** What the forward pass needs. */
export interface Neox {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocab: number;
  /** Dimensions of each head that are rotated. */
  readonly rotary: number;
  readonly theta: number;
  /** Positions are divided by it: linear scaling. */
  readonly scale: number;
  readonly eps: number;
  readonly parallel: boolean;
  readonly attentionBias: boolean;
  readonly tied: boolean;
  readonly activation: (x: number) => number;
}

/** A weight's numbers by its name in the checkpoint. */
export type Weights = (name: string) => Float64Array;

/** Logits of every token: `[tokens][vocab]`. */
export function forward(model: Neox, weights: Weights, ids: readonly number[]): Float64Array[] {
  const { hidden, heads, intermediate, layers, vocab } = model;
  const headDim = hidden / heads;
  const embedding = weights("gpt_neox.embed_in.weight");
  let x: Float64Array[] = ids.map((id) => embedding.slice(id * hidden, (id + 1) * hidden));
  for (let layer = 0; layer < layers; layer++) {
    const at = `gpt_neox.layers.${layer}`;
    const bias = (name: string) => model.attentionBias ? weights(`${name}.bias`) : undefined;
    const norm = (name: string, row: Float64Array) =>
      layerNorm(row, weights(`${at}.${name}.weight`), weights(`${at}.${name}.bias`), model.eps);

    // Rows of query_key_value: head 0's query, key, value, head 1's query, key, value …
    const qkv = x.map((row) =>
      linear(
        norm("input_layernorm", row),
        weights(`${at}.attention.query_key_value.weight`),
        bias(`${at}.attention.query_key_value`),
        3 * hidden,
      )
    );
    const part = (token: number, head: number, which: 0 | 1 | 2) =>
      qkv[token]!.slice((head * 3 + which) * headDim, (head * 3 + which + 1) * headDim);
    const attended = x.map((_, token) => {
      const all = new Float64Array(hidden);
      for (let head = 0; head < heads; head++) {
        const query = rotate(part(token, head, 0), token, model);
        const scores: number[] = [];
        for (let j = 0; j <= token; j++) {
          scores.push(dot(query, rotate(part(j, head, 1), j, model)) / Math.sqrt(headDim));
        }
        const most = Math.max(...scores);
        const weight = scores.map((score) => Math.exp(score - most));
        const sum = weight.reduce((a, b) => a + b, 0);
        for (let j = 0; j <= token; j++) {
          const value = part(j, head, 2);
          for (let i = 0; i < headDim; i++) all[head * headDim + i]! += weight[j]! / sum * value[i]!;
        }
      }
      return linear(all, weights(`${at}.attention.dense.weight`), bias(`${at}.attention.dense`), hidden);
    });

    x = x.map((row, token) => {
      const mid = add(row, attended[token]!);
      const read = norm("post_attention_layernorm", model.parallel ? row : mid);
      const wide = linear(
        read,
        weights(`${at}.mlp.dense_h_to_4h.weight`),
        weights(`${at}.mlp.dense_h_to_4h.bias`),
        intermediate,
      );
      const down = linear(
        wide.map(model.activation),
        weights(`${at}.mlp.dense_4h_to_h.weight`),
        weights(`${at}.mlp.dense_4h_to_h.bias`),
        hidden,
      );
      return add(mid, down);
    });
  }
  const norm = [weights("gpt_neox.final_layer_norm.weight"), weights("gpt_neox.final_layer_norm.bias")] as const;
  const head = weights(model.tied ? "gpt_neox.embed_in.weight" : "embed_out.weight");
  return x.map((row) => linear(layerNorm(row, ...norm, model.eps), head, undefined, vocab));
}

/** Rotates the first `rotary` numbers of a head, the first half of them against the second. */
export function rotate(x: Float64Array, position: number, { rotary, theta, scale }: Neox): Float64Array {
  const y = x.slice();
  for (let i = 0; i < rotary / 2; i++) {
    const angle = position / scale * theta ** (-2 * i / rotary);
    const [a, b] = [x[i]!, x[i + rotary / 2]!];
    y[i] = a * Math.cos(angle) - b * Math.sin(angle);
    y[i + rotary / 2] = b * Math.cos(angle) + a * Math.sin(angle);
  }
  return y;
}

export function layerNorm(x: Float64Array, weight: Float64Array, bias: Float64Array, eps: number): Float64Array {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  return x.map((v, i) => (v - mean) / Math.sqrt(variance + eps) * weight[i]! + bias[i]!);
}

/** W x + b, W `[out, in]`. */
export function linear(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | undefined,
  out: number,
): Float64Array {
  const y = new Float64Array(out), width = x.length, whole = width - width % 4;
  for (let o = 0; o < out; o++) {
    // Four sums at a time: an addition need not wait for the one before it.
    let a = bias?.[o] ?? 0, b = 0, c = 0, d = 0;
    const row = o * width;
    for (let i = 0; i < whole; i += 4) {
      a += weight[row + i]! * x[i]!;
      b += weight[row + i + 1]! * x[i + 1]!;
      c += weight[row + i + 2]! * x[i + 2]!;
      d += weight[row + i + 3]! * x[i + 3]!;
    }
    for (let i = whole; i < width; i++) a += weight[row + i]! * x[i]!;
    y[o] = a + b + (c + d);
  }
  return y;
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((v, i) => v + b[i]!);
}

/** 0.5 x (1 + erf(x / √2)). */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** Hendrycks and Gimpel 2016, arXiv:1606.08415: the approximation with tanh. */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** The error function by its Taylor series near 0, which converges everywhere, and by 1 far out. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x); // off by less than 2e-8
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return 2 / Math.sqrt(Math.PI) * sum;
}
