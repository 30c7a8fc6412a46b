/**
 * Llama and its relatives in plain loops over float64, from the papers and what checkpoints hold, and from nothing in
 * lib: Touvron et al. 2023, arXiv:2302.13971; Ainslie et al. 2023, arXiv:2305.13245 (fewer KV heads).
 */
import type { Weights } from "./neox.ts";

/** What the forward pass needs. */
export interface Llama {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediate: number;
  readonly vocab: number;
  readonly eps: number;
  readonly qkvBias: boolean;
  readonly outBias: boolean;
  readonly mlpBias: boolean;
  readonly headNorms: boolean;
  readonly tied: boolean;
  /** Gemma: norms' weights stored less 1, embeddings times the square root of their width. */
  readonly gemma: boolean;
  readonly activation: (x: number) => number;
  /** Angle per position of each pair, `[headDim / 2]`. */
  readonly frequencies: readonly number[];
  /** Factor of cosines and sines. */
  readonly magnitude: number;
}

/** Logits of every token: `[tokens][vocab]`. */
export function forwardLlama(model: Llama, weights: Weights, ids: readonly number[]): number[][] {
  const { hidden, heads, kvHeads, headDim, layers, vocab } = model;
  const linear = (x: readonly number[], name: string, out: number, bias = false) => {
    const weight = weights(`${name}.weight`);
    const shift = bias ? weights(`${name}.bias`) : undefined;
    return Array.from(
      { length: out },
      (_, o) => x.reduce((sum, v, i) => sum + weight[o * x.length + i]! * v, shift?.[o] ?? 0),
    );
  };
  const norm = (x: readonly number[], name: string) => {
    const weight = weights(`${name}.weight`);
    const size = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + model.eps);
    return x.map((v, i) => v / size * (weight[i]! + (model.gemma ? 1 : 0)));
  };
  const table = weights("model.embed_tokens.weight");
  let x = ids.map((id) =>
    [...table.slice(id * hidden, (id + 1) * hidden)].map((v) => model.gemma ? v * Math.sqrt(hidden) : v)
  );
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    const project = (name: string, count: number, normName?: string) =>
      x.map((row, position) => {
        const all = linear(
          norm(row, `${at}.input_layernorm`),
          `${at}.self_attn.${name}`,
          count * headDim,
          model.qkvBias,
        );
        return Array.from({ length: count }, (_, head) => {
          const part = all.slice(head * headDim, (head + 1) * headDim);
          if (normName === undefined) return part;
          return rotate(model.headNorms ? norm(part, `${at}.self_attn.${normName}`) : part, position, model);
        });
      });
    const query = project("q_proj", heads, "q_norm");
    const key = project("k_proj", kvHeads, "k_norm");
    const value = project("v_proj", kvHeads);
    x = x.map((row, t) => {
      const attended = query[t]!.flatMap((q, head) => {
        const kv = Math.floor(head / (heads / kvHeads));
        const scores = key.slice(0, t + 1).map((k) => dot(q, k[kv]!) / Math.sqrt(headDim));
        const weight = scores.map((score) => Math.exp(score - Math.max(...scores)));
        const sum = weight.reduce((a, b) => a + b);
        return Array.from(
          { length: headDim },
          (_, i) => weight.reduce((s, w, j) => s + w / sum * value[j]![kv]![i]!, 0),
        );
      });
      const mid = add(row, linear(attended, `${at}.self_attn.o_proj`, hidden, model.outBias));
      const read = norm(mid, `${at}.post_attention_layernorm`);
      const up = linear(read, `${at}.mlp.up_proj`, model.intermediate, model.mlpBias);
      const gate = linear(read, `${at}.mlp.gate_proj`, model.intermediate, model.mlpBias);
      const wide = up.map((v, i) => v * model.activation(gate[i]!));
      return add(mid, linear(wide, `${at}.mlp.down_proj`, hidden, model.mlpBias));
    });
  }
  return x.map((row) => linear(norm(row, "model.norm"), model.tied ? "model.embed_tokens" : "lm_head", vocab));
}

function rotate(x: readonly number[], position: number, { frequencies, magnitude }: Llama): number[] {
  const half = x.length / 2;
  return x.map((v, i) => {
    const angle = position * frequencies[i % half]!;
    const other = i < half ? -x[i + half]! : x[i - half]!;
    return magnitude * (v * Math.cos(angle) + other * Math.sin(angle));
  });
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
const add = (a: readonly number[], b: readonly number[]) => a.map((v, i) => v + b[i]!);
