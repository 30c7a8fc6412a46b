/** config.json out of a GGUF file's metadata. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import { ConfigReader } from "../../../lib/model/folder/config_reader.ts";
import { specOf } from "../../../lib/model/folder/model_folder.ts";
import { configOf } from "../../../lib/model/gguf/config.ts";
import { planConversion } from "../../../lib/model/gguf/convert.ts";
import { readGgufHeader } from "../../../lib/model/gguf/header.ts";
import { temporaryFolder } from "../_models.ts";
import { FEW_TOKENS, gguf, type Tensor, type Value } from "./_gguf.ts";

const SIZES: Readonly<Record<string, Value>> = {
  "general.architecture": { string: "llama" },
  "llama.block_count": { u32: 1 },
  "llama.context_length": { u32: 131_072 },
  "llama.embedding_length": { u32: 256 },
  "llama.feed_forward_length": { u32: 64 },
  "llama.attention.head_count": { u32: 2 },
  "llama.rope.freq_base": { f32: 500_000 },
  "llama.attention.layer_norm_rms_epsilon": { f32: 1e-5 },
};
const floats = (numbers: readonly number[], shape = [numbers.length]): Tensor => ({
  type: 0,
  shape,
  data: new Uint8Array(Float32Array.from(numbers).buffer),
});
const EMBEDDING = { "token_embd.weight": floats(new Array(8 * 256).fill(1), [8, 256]) };

/** What a file's metadata and tensors become, by a function of its path. */
function read<T>(
  how: (file: string) => T,
  change: Readonly<Record<string, Value>> = {},
  tensors: Readonly<Record<string, Tensor>> = {},
): T {
  using folder = temporaryFolder();
  const file = join(folder.path, "model.gguf");
  Deno.writeFileSync(file, gguf({ ...SIZES, ...FEW_TOKENS, ...change }, { ...EMBEDDING, ...tensors }));
  return how(file);
}

const config = (file: string) => configOf(readGgufHeader(file));

/** Llama 3's frequencies, as transformers has them, by which the default ones are divided in the file. */
function quotients(factor: number): number[] {
  const of = (scaling: object) =>
    specOf(new ConfigReader("config.json", { ...read(config), ...scaling })).rope!.frequencies;
  const scaled = of({
    rope_scaling: {
      rope_type: "llama3",
      factor,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
  });
  return of({}).map((frequency, i) => frequency / scaled[i]!);
}

Deno.test("numbers are those of the metadata, a float32 as the shortest decimal number", () => {
  const { rms_norm_eps, rope_theta, head_dim, num_key_value_heads, tie_word_embeddings, vocab_size } = read(config);
  deepEqual(
    [rms_norm_eps, rope_theta, head_dim, num_key_value_heads, tie_word_embeddings, vocab_size],
    [1e-5, 500_000, 128, 2, true, 8],
  );
});

Deno.test("Llama 3's scaling is found by its quotients, and other quotients are refused", () => {
  for (const factor of [8, 32]) {
    const of = quotients(factor);
    ok(of.some((quotient) => quotient > 1.01 && quotient < factor - 0.01), "some lie in between");
    const { rope_scaling } = read(config, {}, { "rope_freqs.weight": floats(of) });
    equal((rope_scaling as { rope_type: string }).rope_type, "llama3");
    equal(Math.round((rope_scaling as { factor: number }).factor * 1e4) / 1e4, factor);
    const other = of.map((quotient, i) => i === 20 ? quotient * 1.5 : quotient);
    throws(() => read(config, {}, { "rope_freqs.weight": floats(other) }), /rope_freqs/);
  }
  throws(() => read(config, {}, { "rope_freqs.weight": floats([1, 2]) }), /rope_freqs/);
});

Deno.test("linear and yarn scaling are read", () => {
  const at = "llama.rope.scaling.";
  const linear = read(config, { [`${at}type`]: { string: "linear" }, [`${at}factor`]: { f32: 4 } });
  deepEqual(linear.rope_scaling, { rope_type: "linear", factor: 4 });
  const yarn = read(config, {
    [`${at}type`]: { string: "yarn" },
    [`${at}factor`]: { f32: 4 },
    [`${at}original_context_length`]: { u32: 32_768 },
  });
  deepEqual(yarn.rope_scaling, { rope_type: "yarn", factor: 4, original_max_position_embeddings: 32_768 });
  throws(() => read(config, { [`${at}type`]: { string: "longrope" } }), /none of none, linear, yarn/);
});

Deno.test("what is not computed here is an error that names it", () => {
  const refuses = (
    change: Record<string, Value>,
    message: RegExp,
    tensors: Record<string, Tensor> = {},
  ) => throws(() => read(planConversion, change, tensors), { name: "InputError", message });
  refuses({ "general.architecture": { string: "gemma3" } }, /architecture is "gemma3"; those read are llama, qwen2/);
  refuses({ "llama.expert_count": { u32: 8 } }, /"llama.expert_count" is 8/);
  refuses({ "split.count": { u32: 3 } }, /several parts/);
  refuses({ "llama.attention.value_length": { u32: 64 } }, /different sizes/);
  refuses({ "llama.rope.dimension_count": { u32: 32 } }, /rotate all of a head \(128\)/);
  refuses({ "llama.attention.head_count": { i32s: [2, 2] } }, /head_count" must be a whole number, found a list of 2/);
  refuses({ "llama.attention.head_count": { u32: 0 } }, /without heads/);
  refuses({ "llama.block_count": { u32: 20_000 } }, /num_hidden_layers/);
  refuses({}, /model\.layers\.0/);
  refuses({}, /"blk\.0\.odd\.weight" is not one/, { "blk.0.odd.weight": floats([1]) });
  refuses({}, /norms are read as F32|not one of/, { "blk.0.attn_q_norm.weight": floats([1]) });
});
