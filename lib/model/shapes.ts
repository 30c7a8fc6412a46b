/**
 * Shapes of well-known models, as their config.json has them: what random weights are made for.
 *
 * @example
 * ```ts
 * import { SHAPES } from "./shapes.ts";
 *
 * console.log(Object.keys(SHAPES).length, SHAPES["pythia-2.8b"]!.hidden_size); // 11 2560
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
  "llama-3.2-1b": {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    attention_bias: false,
    head_dim: 64,
    hidden_act: "silu",
    hidden_size: 2048,
    intermediate_size: 8192,
    max_position_embeddings: 131_072,
    mlp_bias: false,
    num_attention_heads: 32,
    num_hidden_layers: 16,
    num_key_value_heads: 8,
    rms_norm_eps: 1e-5,
    rope_scaling: {
      factor: 32,
      high_freq_factor: 4,
      low_freq_factor: 1,
      original_max_position_embeddings: 8192,
      rope_type: "llama3",
    },
    rope_theta: 500_000,
    tie_word_embeddings: true,
    vocab_size: 128_256,
  },
  "qwen2.5-0.5b": {
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    hidden_act: "silu",
    hidden_size: 896,
    intermediate_size: 4864,
    max_position_embeddings: 32_768,
    max_window_layers: 24,
    num_attention_heads: 14,
    num_hidden_layers: 24,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-6,
    rope_theta: 1_000_000,
    sliding_window: 32_768,
    tie_word_embeddings: true,
    use_sliding_window: false,
    vocab_size: 151_936,
  },
  "gpt2-xl": {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    activation_function: "gelu_new",
    layer_norm_epsilon: 1e-5,
    n_embd: 1600,
    n_head: 25,
    n_layer: 48,
    n_positions: 1024,
    vocab_size: 50_257,
  },
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
