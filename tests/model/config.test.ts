import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/util/errors.ts";
import { ConfigReader } from "../../lib/model/folder/config_reader.ts";
import { buildDecoder } from "../../lib/model/graph/decoder.ts";
import { openModelFolder, specOf } from "../../lib/model/folder/model_folder.ts";
import { SHAPES } from "../../lib/model/shapes.ts";
import type { ModelSpec } from "../../lib/model/spec.ts";
import {
  configOf,
  farthest,
  logitsOf,
  lookUp,
  neox,
  oldConfigOf,
  randomWeights,
  storedWeights,
  temporaryFolder,
  writeFiles,
  writeModel,
} from "./_models.ts";
import { forward } from "../reference/neox.ts";

const model = neox();
const weights = randomWeights(model);
const base = configOf(model);

/** What a config.json describes, with its functions evaluated, so that two can be compared. */
function described(fields: Record<string, unknown>): unknown {
  const spec: ModelSpec = specOf(new ConfigReader("config.json", fields));
  return { ...spec, block: Array.from({ length: spec.layers }, (_, layer) => spec.block(layer)) };
}

const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(base).filter(([name]) => !names.includes(name)));

Deno.test("config.json in the forms of transformers 4 and 5 gives the same graph, byte for byte", () => {
  for (const changed of [neox(), neox({ rotary: 16 }), neox({ theta: 500, scale: 4 }), neox({ parallel: false })]) {
    using folder = temporaryFolder();
    const graphs = [configOf(changed), oldConfigOf(changed)].map((config) => {
      const opened = openModelFolder(writeModel(folder.path, config, storedWeights(changed, randomWeights(changed))));
      return buildDecoder(opened, {
        dtype: "float32",
        device: "cpu",
        attention: "fused",
        maxPositions: 9,
        rotate: "write",
        groups: [0, 0],
      });
    });
    deepEqual(graphs[0], graphs[1]);
  }
});

Deno.test("config.json's rotary fields are found wherever transformers has put them", () => {
  const rope = (fields: Record<string, unknown>) => {
    const { dim, frequencies } = specOf(new ConfigReader("config.json", { ...without("rope_parameters"), ...fields }))
      .rope!;
    return [dim, frequencies[1]];
  };
  const of = (
    dim: number,
    theta: number,
    factor = 1,
  ) => [dim, Math.fround(Math.fround(1 / theta ** (2 / dim)) / factor)];
  deepEqual(rope({}), of(4, 10000));
  deepEqual(rope({ rotary_pct: 0.5, rotary_emb_base: 100 }), of(8, 100));
  deepEqual(rope({ partial_rotary_factor: 0.5, rope_theta: 100 }), of(8, 100));
  deepEqual(rope({ rope_parameters: { rope_theta: 100, partial_rotary_factor: 1 } }), of(16, 100));
  deepEqual(rope({ rope_parameters: { rope_type: "default" }, rotary_pct: 0.5 }), of(8, 10000));
  deepEqual(rope({ rope_scaling: { type: "linear", factor: 2 } }), of(4, 10000, 2));
  deepEqual(rope({ rope_scaling: { rope_type: "linear", factor: 2 } }), of(4, 10000, 2));
  deepEqual(rope({ rope_parameters: { rope_type: "linear", factor: 2, rope_theta: 100 } }), of(4, 100, 2));
  deepEqual(rope({ rope_parameters: null, rope_scaling: null, rotary_pct: null }), of(4, 10000));
  deepEqual(rope({ rotary_pct: 0.2, rope_parameters: { partial_rotary_factor: 0.5 } }), of(8, 10000));
});

Deno.test("config.json may leave out what has a default, and say more than is read", () => {
  const sizes = [
    "model_type",
    "hidden_size",
    "num_attention_heads",
    "num_hidden_layers",
    "intermediate_size",
    "vocab_size",
  ];
  const least = Object.fromEntries(sizes.map((name) => [name, base[name]]));
  const full = {
    ...least,
    attention_bias: true,
    hidden_act: "gelu",
    layer_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    rotary_emb_base: 10000,
    rotary_pct: 0.25,
    tie_word_embeddings: false,
    use_parallel_residual: true,
  };
  deepEqual(described(least), described(full));
  deepEqual(
    described(Object.fromEntries(Object.entries(full).map(([n, v]) => [n, sizes.includes(n) ? v : null]))),
    described(full),
  );
  deepEqual(
    described({ ...full, torch_dtype: "float16", quantization_config: null, id2label: {}, __proto__x: 1 }),
    described(full),
  );
});

Deno.test("Pythia's shapes are models", () => {
  for (const [name, config] of Object.entries(SHAPES).filter(([name]) => name.startsWith("pythia"))) {
    const { headDim, rope } = specOf(new ConfigReader(name, config));
    equal(rope!.dim, headDim / 4);
  }
});

Deno.test("openModelFolder() says which field is wrong, what it holds and what would do", () => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [
      { model_type: "bert" },
      /"model_type" must be one of gpt_neox, llama, .* \(the families supported\), found "bert"$/,
    ],
    [{ model_type: undefined }, /"model_type" must be a string, found nothing$/],
    [{ model_type: "__proto__" }, /"model_type" must be one of/],
    [{ model_type: ["gpt_neox"] }, /"model_type" must be a string, found \["gpt_neox"\]$/],
    [{ hidden_size: undefined }, /"hidden_size" must be a whole number from 1 to \d+, found nothing$/],
    [{ hidden_size: 0 }, /"hidden_size" must be a whole number from 1 to \d+, found 0$/],
    [{ hidden_size: -32 }, /found -32$/],
    [{ hidden_size: 32.5 }, /found 32.5$/],
    [{ hidden_size: "32" }, /found "32"$/],
    [{ hidden_size: 1e300 }, /found 1e\+300$/],
    [{ hidden_size: 33 }, /"hidden_size" must be a multiple of num_attention_heads \(2\), found 33$/],
    [{ num_attention_heads: 0 }, /"num_attention_heads" must be/],
    [{ num_hidden_layers: 1e9 }, /"num_hidden_layers" must be a whole number from 1 to 10000, found 1000000000$/],
    [{ num_hidden_layers: true }, /"num_hidden_layers" must be/],
    [{ vocab_size: 2 ** 40 }, /"vocab_size" must be/],
    [{ intermediate_size: [48] }, /"intermediate_size" must be .* found \[48\]$/],
    [{ max_position_embeddings: -1 }, /"max_position_embeddings" must be/],
    [{ layer_norm_eps: -1e-5 }, /"layer_norm_eps" must be a number from 0 to 1, found -0.00001$/],
    [{ layer_norm_eps: 1e300 }, /"layer_norm_eps" must be/],
    [{ layer_norm_eps: "1e-5" }, /"layer_norm_eps" must be/],
    [{ use_parallel_residual: "true" }, /"use_parallel_residual" must be true or false, found "true"$/],
    [{ tie_word_embeddings: 1 }, /"tie_word_embeddings" must be true or false, found 1$/],
    [{ hidden_act: "swiglu" }, /"hidden_act" must be one of gelu, .*, found "swiglu"$/],
    [{ hidden_act: "constructor" }, /"hidden_act" must be one of/],
    [{ hidden_act: 3 }, /"hidden_act" must be a string/],
    [{ rope_parameters: 3 }, /"rope_parameters" must be an object, found 3$/],
    [
      { rope_parameters: { rope_type: "longrope" } },
      /config.json, rope_parameters: field "rope_type" must be one of default, linear, dynamic, llama3, yarn, found "longrope"$/,
    ],
    [{ rope_parameters: { type: "ntk" } }, /field "type" must be one of default, linear/],
    [{ rope_parameters: undefined, rope_scaling: { type: "llama3" } }, /rope_scaling: field "factor" must be/],
    [{ rope_parameters: { rope_type: "linear" } }, /field "factor" must be a number of at least 1, found nothing$/],
    [{ rope_parameters: { rope_type: "linear", factor: 0 } }, /field "factor" must be/],
    [{ rope_parameters: { rope_theta: 0 } }, /field "rope_theta" must be a number of at least 1, found 0$/],
    [{ rope_parameters: {}, rotary_emb_base: -10000 }, /field "rotary_emb_base" must be/],
    [
      { rope_parameters: { partial_rotary_factor: 1.5 } },
      /field "partial_rotary_factor" must be a share of the head size 16/,
    ],
    [
      { rope_parameters: {}, rotary_pct: 0 },
      /field "rotary_pct" must be a share of the head size 16 that is an even number/,
    ],
    [{ rope_parameters: {}, rotary_pct: 3 / 16 }, /field "rotary_pct" must be/],
    [{ rope_parameters: {}, rotary_pct: "0.25" }, /field "rotary_pct" must be a number/],
  ];
  using folder = temporaryFolder();
  const file = join(folder.path, "config.json");
  for (const [change, message] of wrong) {
    writeModel(folder.path, { ...base, ...change }, storedWeights(model, weights));
    throws(() => openModelFolder(folder.path), (error: unknown) => {
      ok(error instanceof InputError, `${JSON.stringify(change)}: ${error}`);
      ok(error.message.startsWith(`Cannot use ${file}`), error.message);
      match(error.message, message);
      ok(error.message.length < 500);
      return true;
    });
  }
});

Deno.test("openModelFolder() takes a config.json with a byte-order mark and of two equal fields the last", () => {
  using folder = temporaryFolder();
  writeModel(folder.path, base, storedWeights(model, weights));
  const text = JSON.stringify(base);
  writeFiles(folder.path, { "config.json": `\uFEFF{"hidden_size": 7, ${text.slice(1)}` });
  equal(openModelFolder(folder.path).spec.hidden, 32);
});

Deno.test("openModelFolder() says that a config.json cannot be read", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "config.json");
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  for (
    const [content, message] of [
      ["", /config.json: it is not JSON/],
      ["{", /config.json: it is not JSON/],
      ["[1, 2]", /config.json: it is \[1, 2\], not a JSON object$/],
      ["null", /config.json: it is null, not a JSON object$/],
      ['"text"', /config.json: it is "text", not a JSON object$/],
      [deep, /config.json: it is (not JSON|\[…\])/],
      [`{"model_type": ${deep}}`, /it is not JSON|"model_type" must be a string, found \[…\]$/],
      [Uint8Array.of(0x7b, 0xff, 0x7d), /config.json: it is not JSON/],
    ] as const
  ) {
    writeFiles(folder.path, { "config.json": content });
    throws(() => openModelFolder(folder.path), (error: unknown) => {
      ok(error instanceof InputError, String(error));
      ok(error.message.includes(file));
      match(error.message, message);
      return true;
    });
  }
});

Deno.test("openModelFolder() says that there is no model", () => {
  using folder = temporaryFolder();
  const fails = (path: string, message: RegExp) =>
    throws(() => openModelFolder(path), (error: unknown) => {
      ok(error instanceof InputError, String(error));
      match(error.message, message);
      ok(error.message.includes(path));
      return true;
    });
  const file = join(folder.path, "a file");
  fails(folder.path, /^Cannot open model .*: it holds no config\.json; --model_id takes a Hugging Face model folder/);
  fails(join(folder.path, "nowhere"), /: there is no such folder; --model_id takes/);
  writeFiles(folder.path, { "a file": "" });
  fails(file, /: it is no folder; --model_id takes/);
  Deno.mkdirSync(join(folder.path, "config.json"));
  fails(folder.path, /config\.json: it is a folder$/);
});

Deno.test("attention in the fused form is refused for head sizes it does not take", () => {
  const odd = neox({ hidden: 24, heads: 2 });
  using folder = temporaryFolder();
  const opened = openModelFolder(writeModel(folder.path, configOf(odd), storedWeights(odd, randomWeights(odd))));
  const options = { dtype: "float32", device: "cpu", maxPositions: 9, rotate: "write", groups: [0, 0] } as const;
  throws(() => buildDecoder(opened, { ...options, attention: "fused" }), {
    name: "InputError",
    message:
      "Cannot use --attention fused: the fused kernel takes head sizes that are a multiple of 8, the model's is 12; --attention explicit takes any",
  });
  ok(buildDecoder(opened, { ...options, attention: "explicit" }).bytes.length > 0);
});

Deno.test("a config.json of fewer layers than the file has takes the first of them", () => {
  using folder = temporaryFolder();
  const ids = [4, 8, 15, 16, 23, 42];
  writeModel(folder.path, { ...base, num_hidden_layers: 1 }, storedWeights(model, weights));
  const expected = forward(neox({ layers: 1 }), lookUp(weights), ids);
  ok(farthest(logitsOf(folder.path, ids), expected) < 1e-4);
});
