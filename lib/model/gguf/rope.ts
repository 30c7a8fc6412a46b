import type { GgufHeader } from "./header.ts";
import { Metadata } from "./metadata.ts";
import { numbersOf } from "./read_tensor.ts";

/** Llama 3.1's numbers; a file holds only the quotients that follow from them, and 3.2 has another factor. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** What is rotated. */
interface Rotated {
  readonly theta: number;
  /** Dimensions of a head. */
  readonly dim: number;
}

/**
 * Returns config.json's "rope_scaling" of a GGUF file; undefined if frequencies are as they are.
 *
 * @param header The file's header.
 * @param architecture llama.cpp's name.
 * @param rotated Base and dimensions of the rotary embedding.
 * @throws {InputError} If the scaling is one that is not read.
 */
export function scalingOf(header: GgufHeader, architecture: string, rotated: Rotated): object | undefined {
  const metadata = new Metadata(header);
  const key = (name: string) => `${architecture}.rope.scaling.${name}`;
  const type = metadata.string(key("type"), "none");
  const factors = header.tensors.has("rope_freqs.weight") ? numbersOf(header, "rope_freqs.weight") : undefined;
  if (factors) {
    const factor = factors.reduce((most, one) => Math.max(most, one), 0);
    const isLlama3 = factors.length === rotated.dim / 2 &&
      llama3Factors(rotated, factor).every((one, i) => Math.abs(factors[i]! - one) <= 1e-4 * one);
    if (!isLlama3 || type !== "none") {
      metadata.fail("the factors of its rope_freqs.weight are not those of Llama 3.1 or 3.2, which alone are read");
    }
    return factor === 1 ? undefined : { rope_type: "llama3", factor, ...LLAMA3 };
  }
  if (type === "none") return undefined;
  if (type !== "linear" && type !== "yarn") metadata.fail(`"${key("type")}" is none of none, linear, yarn`);
  const factor = metadata.number(key("factor"));
  if (type === "linear") return { rope_type: "linear", factor };
  for (const name of ["attn_factor", "yarn_log_multiplier", "yarn_ext_factor", "yarn_attn_factor"]) {
    if (metadata.has(key(name))) metadata.fail(`"${key(name)}" is not read`);
  }
  return {
    rope_type: "yarn",
    factor,
    original_max_position_embeddings: metadata.integer(key("original_context_length")),
  };
}

/** What frequencies are divided by. */
function llama3Factors({ theta, dim }: Rotated, factor: number): number[] {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: trained } = LLAMA3;
  return Array.from({ length: dim / 2 }, (_, i) => {
    const turns = trained * theta ** (-2 * i / dim) / (2 * Math.PI);
    if (turns < low) return factor;
    if (turns > high) return 1;
    const share = (turns - low) / (high - low);
    return 1 / ((1 - share) / factor + share);
  });
}
