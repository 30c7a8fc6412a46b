import { equal, match, ok, throws } from "node:assert/strict";
import { join, relative } from "@std/path";
import { InputError } from "../../lib/util/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import {
  configOf,
  farthest,
  logitsOf,
  lookUp,
  neox,
  randomWeights,
  shapesOf,
  storedWeights,
  temporaryFolder,
  writeFiles,
  writeModel,
} from "./_models.ts";
import { rounded, safetensors, type Stored } from "./_safetensors.ts";
import { forward } from "../reference/neox.ts";

const model = neox();
const weights = randomWeights(model);
const config = configOf(model);
const whole = storedWeights(model, weights);
const ids = [3, 49, 7, 7, 0, 12, 33];
const expected = forward(model, lookUp(weights), ids);

function isRight(folder: string, how = ""): void {
  const difference = farthest(logitsOf(folder, ids), expected);
  ok(difference < 1e-4, `${how}: off by ${difference}`);
}

function fails(folder: string, ...messages: RegExp[]): void {
  throws(() => openModelFolder(folder), (error: unknown) => {
    ok(error instanceof InputError, String(error));
    for (const message of messages) match(error.message, message);
    return true;
  });
}

/** The tensors in `count` files, dealt round, and the index that says so. */
function shards(tensors: Record<string, Stored>, count: number): { files: Record<string, Uint8Array>; index: object } {
  const names = Array.from({ length: count }, (_, i) => {
    return `model-0000${i + 1}-of-0000${count}.safetensors`;
  });
  const parts: Record<string, Stored>[] = names.map(() => ({}));
  const weight_map: Record<string, string> = {};
  Object.entries(tensors).forEach(([name, tensor], i) => {
    parts[i % count]![name] = tensor;
    weight_map[name] = names[i % count]!;
  });
  return {
    files: Object.fromEntries(names.map((name, i) => [name, safetensors(parts[i]!)])),
    index: { metadata: { total_size: 1 }, weight_map },
  };
}

const INDEX = "model.safetensors.index.json";

Deno.test("weights stored in float64, float32, float16 and bfloat16 run as float32", () => {
  for (const dtype of ["F64", "F32", "F16", "BF16"] as const) {
    using folder = temporaryFolder();
    writeModel(folder.path, config, storedWeights(model, weights, dtype));
    const their = forward(model, (name) => rounded(dtype, weights.get(name)!), ids);
    const difference = farthest(logitsOf(folder.path, ids), their);
    ok(difference < 1e-4, `${dtype}: off by ${difference}`);
  }
});

Deno.test("weights of several types in one file run as float32", () => {
  using folder = temporaryFolder();
  const types = ["F64", "F32", "F16", "BF16"] as const;
  const typeOf = new Map(Object.keys(shapesOf(model)).map((name, i) => [name, types[i % 4]!]));
  const mixed = Object.fromEntries(
    [...typeOf].map(([name, dtype]) => [name, storedWeights(model, weights, dtype)[name]!]),
  );
  writeModel(folder.path, config, mixed);
  const their = forward(model, (name) => rounded(typeOf.get(name)!, weights.get(name)!), ids);
  ok(farthest(logitsOf(folder.path, ids), their) < 1e-4);
});

Deno.test("weights are found in shards by their index", () => {
  for (const count of [1, 2, 5]) {
    using folder = temporaryFolder();
    const { files, index } = shards(whole, count);
    writeFiles(folder.path, { "config.json": config, [INDEX]: index, ...files });
    isRight(folder.path, `${count} shards`);
  }
});

Deno.test("the index says whose tensor counts where two shards hold one name", () => {
  using folder = temporaryFolder();
  const name = "embed_out.weight";
  const wrong = { ...whole[name]!, data: new Uint8Array(whole[name]!.data.length) };
  for (const order of [["a", "b"], ["b", "a"]]) {
    const map = Object.fromEntries(Object.keys(whole).map((name, i) => [name, order[i % 2]!]));
    map[name] = "a";
    writeFiles(folder.path, {
      "config.json": config,
      [INDEX]: { weight_map: map },
      a: safetensors(Object.fromEntries(Object.entries(whole).filter(([name]) => map[name] === "a"))),
      b: safetensors({
        ...Object.fromEntries(Object.entries(whole).filter(([name]) => map[name] === "b")),
        [name]: wrong,
      }),
    });
    isRight(folder.path);
  }
});

Deno.test("tensors that the decoder has no use for are ignored, whatever their type", () => {
  const extra = (dtype: string, shape: number[], bytes: number): Stored => ({
    dtype,
    shape,
    data: new Uint8Array(bytes),
  });
  for (const mask of ["BOOL", "U8"]) {
    const others: Record<string, Stored> = {
      "lm_head.scale_inv": extra("F8_E4M3", [3], 3),
      __proto__x: extra("I64", [1], 8),
    };
    for (let layer = 0; layer < model.layers; layer++) {
      const at = `gpt_neox.layers.${layer}.attention`;
      others[`${at}.rotary_emb.inv_freq`] = extra("F32", [2], 8);
      others[`${at}.bias`] = extra(mask, [1, 1, 9, 9], 81); // what follows lies at an odd byte
      others[`${at}.masked_bias`] = extra("F16", [], 2);
    }
    using folder = temporaryFolder();
    writeModel(folder.path, config, { ...others, ...whole });
    isRight(folder.path, mask);
    const { files, index } = shards({ ...whole, ...others }, 3);
    Deno.removeSync(join(folder.path, "model.safetensors"));
    writeFiles(folder.path, { [INDEX]: index, ...files });
    isRight(folder.path, `${mask}, in shards`);
  }
});

Deno.test("a tensor may lie at any byte", () => {
  for (const odd of [1, 2, 3, 5, 7]) {
    for (const dtype of ["F32", "F16"] as const) {
      using folder = temporaryFolder();
      const first: Stored = { dtype: "U8", shape: [odd], data: new Uint8Array(odd) };
      writeModel(folder.path, config, { first, ...storedWeights(model, weights, dtype) });
      const { offset } = openModelFolder(folder.path).tensors.get("gpt_neox.embed_in.weight")!;
      equal(offset % 8, odd);
      const their = forward(model, (name) => rounded(dtype, weights.get(name)!), ids);
      ok(farthest(logitsOf(folder.path, ids), their) < 1e-4);
    }
  }
});

Deno.test("a header of any length is read, and one padded with spaces", () => {
  for (const align of [1, 8, 4096]) {
    using folder = temporaryFolder();
    writeFiles(folder.path, { "config.json": config, "model.safetensors": safetensors(whole, align) });
    isRight(folder.path, `${align}`);
  }
});

Deno.test("the folder's path may have spaces and any letters", () => {
  for (const name of ["with spaces", "ü é 東京 🦕", "e\u0301", "a'b\"c$d`e", "%20 #? &", "..x", "a/../b"]) {
    using folder = temporaryFolder(Deno.build.os === "windows" ? name.replace(/["?]/g, "") : name);
    writeModel(folder.path, config, whole);
    isRight(folder.path, name);
    isRight(`${folder.path}/`, name);
  }
});

Deno.test("a path relative to the working folder will do", () => {
  using folder = temporaryFolder();
  writeModel(folder.path, config, whole);
  isRight(relative(Deno.cwd(), folder.path));
});

Deno.test("a folder of links into a folder of blobs will do, as in the hub's cache", () => {
  using root = temporaryFolder("models--who--what");
  const blobs = join(root.path, "blobs");
  const snapshot = join(root.path, "snapshots", "0123abcd");
  Deno.mkdirSync(blobs);
  Deno.mkdirSync(snapshot, { recursive: true });
  const link = (name: string, blob: string, content: string | object) => {
    writeFiles(blobs, { [blob]: content });
    Deno.symlinkSync(`../../blobs/${blob}`, join(snapshot, name));
  };
  link("config.json", "c0", config);
  link("model.safetensors", "w0", safetensors(whole));
  isRight(snapshot, "one file");

  Deno.removeSync(join(snapshot, "model.safetensors"));
  const { files, index } = shards(whole, 3);
  link(INDEX, "i0", index);
  Object.entries(files).forEach(([name, bytes], i) => link(name, `w${i + 1}`, bytes));
  isRight(snapshot, "shards");

  // A link to the folder, and one to a file that lies elsewhere altogether.
  const other = join(root.path, "link to it");
  Deno.symlinkSync(snapshot, other);
  isRight(other, "linked folder");
  using elsewhere = temporaryFolder("far away");
  Deno.renameSync(join(blobs, "w2"), join(elsewhere.path, "w2"));
  const [, second] = Object.keys(files);
  fails(
    snapshot,
    /model-00002-of-00003\.safetensors: it is a link to \.\.\/\.\.\/blobs\/w2, which does not exist; download/,
  );
  Deno.removeSync(join(snapshot, second!));
  Deno.symlinkSync(join(elsewhere.path, "w2"), join(snapshot, second!));
  isRight(snapshot, "two roots");
});

Deno.test("openModelFolder() says what weights it looked for, what it found and what to do", () => {
  using folder = temporaryFolder();
  writeFiles(folder.path, { "config.json": config });
  fails(
    folder.path,
    /^Cannot find weights in .*: looked for model\.safetensors, model\.safetensors\.index\.json and model\.onnx$/,
  );
  writeFiles(folder.path, { "pytorch_model.bin": "", "tokenizer.json": "" });
  fails(folder.path, /model\.onnx, found pytorch_model\.bin; with Python's transformers, model\.save_pretrained/);
});

Deno.test("openModelFolder() says what is wrong with an index", () => {
  const { files, index } = shards(whole, 2);
  const [first, second] = Object.keys(files) as [string, string];
  const map = (index as { weight_map: Record<string, string> }).weight_map;
  using folder = temporaryFolder();
  writeFiles(folder.path, { "config.json": config, [first]: files[first]! });
  const failsWith = (content: string | object, ...messages: RegExp[]) => {
    writeFiles(folder.path, { [INDEX]: content });
    fails(folder.path, new RegExp(INDEX), ...messages);
  };
  failsWith(index, /of the 2 files it names 1 are missing, such as model-00002-of-00002\.safetensors; download/);
  failsWith("{", /it is not JSON/);
  failsWith([], /it is \[\], not a JSON object/);
  failsWith({}, /field "weight_map" must be an object of tensor and file names, found nothing/);
  failsWith({ weight_map: [first] }, /"weight_map" must be an object/);
  for (const shard of [3, null, "", "../a", "a\\b", ["a"], {}]) {
    failsWith({ weight_map: { ...map, x: shard } }, /"weight_map" names .*, not a file next to it/);
  }
  failsWith({ weight_map: { ...map, x: ".." } }, /missing|folder/);
  writeFiles(folder.path, { [second]: files[second]!, [INDEX]: { weight_map: {} } });
  fails(folder.path, /no tensor "gpt_neox\.embed_in\.weight".*they have none$/);
  writeFiles(folder.path, { [INDEX]: { weight_map: { a: first } } });
  fails(folder.path, /no tensor "gpt_neox\..*which config\.json asks for; they have \d+, such as gpt_neox/);
  // What an index says of tensors that nothing asks for does not matter.
  writeFiles(folder.path, { [INDEX]: { weight_map: { ...map, "gone.inv_freq": first } } });
  isRight(folder.path);
});

Deno.test("openModelFolder() says which tensor is missing, or is not what config.json asks for", () => {
  using folder = temporaryFolder();
  const name = "gpt_neox.layers.1.mlp.dense_h_to_4h.bias";
  const failsWith = (tensors: Record<string, Stored>, message: RegExp, changed: object = {}) => {
    writeModel(folder.path, { ...config, ...changed }, tensors);
    fails(folder.path, message);
  };
  const { [name]: bias, ...rest } = whole;
  failsWith(
    rest,
    /no tensor "gpt_neox\.layers\.1\.mlp\.dense_h_to_4h\.bias", which config\.json asks for; they have \d+, such/,
  );
  failsWith(
    { ...rest, [name]: { ...bias!, shape: [1, 48] } },
    /dense_h_to_4h\.bias" has shape \[1,48\], config\.json asks for \[48\]$/,
  );
  failsWith(
    { ...rest, [name]: { ...bias!, dtype: "I32" } },
    /dense_h_to_4h\.bias" is I32, weights must be F32, F16, BF16 or F64$/,
  );
  failsWith(
    { ...rest, [name]: { dtype: "F8_E4M3", shape: [48], data: new Uint8Array(48) } },
    /dense_h_to_4h\.bias" is F8_E4M3, weights must be/,
  );
  failsWith(whole, /no tensor "gpt_neox\.layers\.2\.input_layernorm\.weight"/, { num_hidden_layers: 10_000 });
  failsWith(whole, /embed_in\.weight" has shape \[50,32\], config\.json asks for \[51,32\]$/, { vocab_size: 51 });
  failsWith(whole, /config\.json asks for \[16777216,32\]$/, { vocab_size: 2 ** 24 });
  failsWith(whole, /config\.json asks for \[50,4194304\]$/, { hidden_size: 2 ** 22 });
  failsWith(whole, /dense_h_to_4h\.weight" has shape \[48,32\], config\.json asks for \[49,32\]$/, {
    intermediate_size: 49,
  });
  const { "embed_out.weight": _, ...tied } = whole;
  failsWith(tied, /no tensor "embed_out\.weight"/);
  writeModel(folder.path, { ...config, tie_word_embeddings: true }, tied);
  openModelFolder(folder.path);
});
