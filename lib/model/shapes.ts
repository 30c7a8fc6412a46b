/**
 * Shapes of well-known models, as their config.json has them: what random weights are made for.
 *
 * @example
 * ```ts
 * import { SHAPES } from "./shapes.ts";
 *
 * console.log(Object.keys(SHAPES).length, SHAPES["pythia-2.8b"]!.hidden_size); // 8 2560
 * ```
 */
export const SHAPES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "pythia-70m": neox(512, 6, 8),
  "pythia-160m": neox(768, 12, 12),
  "pythia-410m": neox(1024, 24, 16),
  "pythia-1b": neox(2048, 16, 8),
  "pythia-1.4b": neox(2048, 24, 16),
  "pythia-2.8b": neox(2560, 32, 32),
  "pythia-6.9b": neox(4096, 32, 32, 50432),
  "pythia-12b": neox(5120, 36, 40, 50688),
};

/** Pythia: Biderman et al. 2023, arXiv:2304.01373, table 1. */
function neox(hidden: number, layers: number, heads: number, vocab = 50304): Record<string, unknown> {
  return {
    architectures: ["GPTNeoXForCausalLM"],
    model_type: "gpt_neox",
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: 4 * hidden,
    vocab_size: vocab,
    max_position_embeddings: 2048,
    rotary_pct: 0.25,
    rotary_emb_base: 10000,
    layer_norm_eps: 1e-5,
    hidden_act: "gelu",
    use_parallel_residual: true,
    tie_word_embeddings: false,
  };
}
