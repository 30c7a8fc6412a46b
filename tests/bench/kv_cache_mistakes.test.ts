import { equal, match, ok } from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "@std/path";
import { findOnnxRuntime } from "../../lib/ort/find.ts";
import { bench, project, TemporaryFolder, tiny } from "./_bench.ts";

const embedded = join(project, "lib", "assets", "novel-neox-8m");

/** Runs wrong input and expects a message, code 2, and no files left. */
async function refuses(args: readonly string[], message: RegExp, env: Record<string, string> = {}): Promise<void> {
  await using folder = new TemporaryFolder();
  const given = args.includes("--output") ? [] : ["--output", join(folder.path, "results")];
  const { code, stdout, stderr } = await bench([...args, ...given], env);
  match(stderr, message);
  equal(code, 2, stderr);
  equal(stdout, "");
  ok(!/^ +at /m.test(stderr), stderr);
  equal(folder.names("results"), undefined);
}

/** Makes a changed copy of the embedded model. */
function model(folder: string, changes: {
  config?: Record<string, unknown>;
  weights?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  without?: string;
}): string {
  const path = join(folder, "model");
  Deno.mkdirSync(path);
  for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
    if (name !== changes.without) Deno.copyFileSync(join(embedded, name), join(path, name));
  }
  if (changes.config) {
    const config = JSON.parse(Deno.readTextFileSync(join(path, "config.json")));
    Deno.writeTextFileSync(join(path, "config.json"), JSON.stringify({ ...config, ...changes.config }));
  }
  const weights = join(path, "model.safetensors");
  if (changes.weights) Deno.writeFileSync(weights, changes.weights(Deno.readFileSync(weights)));
  return path;
}

/** Returns the weights with another header. */
function withHeader(bytes: Uint8Array<ArrayBuffer>, change: (json: string) => string): Uint8Array {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = new TextEncoder().encode(change(new TextDecoder().decode(bytes.subarray(8, 8 + length))));
  const changed = new Uint8Array(8 + header.length + bytes.length - 8 - length);
  new DataView(changed.buffer).setBigUint64(0, BigInt(header.length), true);
  changed.set(header, 8);
  changed.set(bytes.subarray(8 + length), 8 + header.length);
  return changed;
}

for (
  const [args, message] of [
    ["--method streming_llm", /^Cannot read --method: found "streming_llm", did you mean streaming_llm\?/],
    ["--metod baseline", /^Cannot read --metod: there is no such flag; did you mean --method\?/],
    ["--recent_sizes 0", /^Cannot read --recent_sizes: found "0", give an integer of at least 1/],
    ["--fix-kv-sizes 256,-1 --method fix_size_l2", /^Cannot read --fix_kv_sizes: .*at least 1/],
    ["--max_tokens 1e3", /^Cannot read --max_tokens: found "1e3", give an integer/],
    ["--num_samples 0", /^Cannot read --num_samples: .*at least 1/],
    ["--keep_ratios 0 --method l2_compress", /^Cannot read --keep_ratios: found "0", give a number over 0/],
    ["--skip_layers 0,8", /^Cannot skip layer 8: --skip_layers names it, the model has layers 0 to 7/m],
    ["--model_id /no/such/model", /^Cannot open model \/no\/such\/model: (there is )?no such folder/m],
    ["--dataset /no/such/text.txt", /^Cannot read --dataset \/no\/such\/text.txt: there is no such file/m],
    ["--max_tokens 3000000", /^Cannot take 2 samples of \d+ tokens: the text has \d+ tokens/m],
    ["--dtype float16 --device cpu", /^Cannot use --dtype float16 on the CPU/m],
    ["--kernels own --device cpu", /^Cannot use --kernels own: they run on CUDA only; auto takes/m],
  ] as const
) Deno.test(`bench: refuses ${args}`, () => refuses(args.split(" "), message));

Deno.test("bench: refuses an output folder that cannot be written", async () => {
  await using folder = new TemporaryFolder();
  const file = join(folder.path, "file");
  await Deno.writeTextFile(file, "");
  await refuses([...tiny, "--output", join(file, "results")], /^Cannot write results to .*: there is a file where/m);
});

for (
  const [what, changes, message] of [
    ["without config.json", { without: "config.json" }, /^Cannot open model .*config\.json/m],
    [
      "of an unknown architecture",
      { config: { model_type: "mamba" } },
      /^Cannot use .*config\.json: .*model_type.*gpt_neox.*found "mamba"/m,
    ],
    [
      "without its tokenizer",
      { without: "tokenizer.json" },
      /^Cannot load the tokenizer: .*tokenizer\.json does not exist/m,
    ],
    ["without weights", { without: "model.safetensors" }, /^Cannot .*safetensors/m],
    [
      "whose weights are truncated",
      { weights: (bytes) => bytes.subarray(0, bytes.length - 1000) },
      /^Cannot .*model\.safetensors: .*ends at byte \d+, .*truncated/m,
    ],
    [
      "whose weights end in the header",
      { weights: (bytes) => bytes.subarray(0, 1000) },
      /^Cannot .*model\.safetensors: .*truncated/m,
    ],
    [
      "whose weights' header is no JSON",
      { weights: (bytes) => withHeader(bytes, (json) => json.replace("{", "[")) },
      /^Cannot .*model\.safetensors: its header is not JSON/m,
    ],
    [
      "whose weights' header points outside the file",
      {
        weights: (bytes) =>
          withHeader(bytes, (json) => json.replace(/"data_offsets":\s*\[0,/, '"data_offsets":[99999999999,')),
      },
      /^Cannot .*model\.safetensors: .*byte/m,
    ],
    [
      "with weights of another shape",
      { config: { intermediate_size: 512 } },
      /^Cannot .*model\.safetensors: .*"gpt_neox\.layers\.0\.mlp.*" has shape \[.*\], config\.json asks for \[.*\]/m,
    ],
    [
      "with fewer layers than config.json says",
      { config: { num_hidden_layers: 9 } },
      /^Cannot use model .* no tensor "gpt_neox\.layers\.8\./m,
    ],
  ] as [string, Parameters<typeof model>[1], RegExp][]
) {
  Deno.test(`bench: refuses a model ${what}`, async () => {
    await using folder = new TemporaryFolder();
    await refuses([...tiny, "--model_id", model(folder.path, changes)], message);
  });
}

Deno.test("bench: refuses a text that is too short, and says how long it is", async () => {
  await using folder = new TemporaryFolder();
  const text = join(folder.path, "short.txt");
  await Deno.writeTextFile(text, "Call me Ishmael. Some years ago");
  await refuses(
    [...tiny, "--dataset", text],
    /^Cannot take 2 samples of 48 tokens: the text has \d+ tokens, enough for 0/m,
  );
});

/** npm's folder of ONNX Runtime, which has no CUDA provider. */
const npm = findOnnxRuntime({
  env: () => undefined,
  npmPackage: dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")),
});

Deno.test("bench: refuses --device cuda without the CUDA provider, and says how to get it", async () => {
  const ORT_DIR = npm.folder;
  await refuses(["--device", "cuda"], /^Cannot use --device cuda: .*(setup:cuda|no CUDA provider for)/m, { ORT_DIR });
});

Deno.test("bench: refuses --device cuda where a CUDA library is missing; auto takes the CPU and says why", {
  ignore: Deno.build.os !== "linux" || hasDriver(),
}, async () => {
  await using folder = new TemporaryFolder();
  // The provider is not read before CUDA's own libraries are found
  for (const name of ["shared", "cuda"]) {
    await Deno.writeTextFile(join(folder.path, `libonnxruntime_providers_${name}.so`), "");
  }
  await Deno.symlink(npm.libraryPath, join(folder.path, "libonnxruntime.so.1"));
  const env = { ORT_DIR: folder.path };
  await refuses(["--device", "cuda"], /^Cannot use CUDA: .*libcuda\.so\.1.* not found$/m, env);
  const output = join(folder.path, "results");
  const args = ["--max_tokens", "8", "--prompt_tokens", "4", "--max_new_tokens", "2", "--method", "baseline"];
  const { code, stderr } = await bench([...args, "--output", output], env);
  equal(code, 0, stderr);
  match(stderr, /^Running on the CPU: .*libcuda\.so\.1.* not found$/m);
});

function hasDriver(): boolean {
  try {
    Deno.dlopen("libcuda.so.1", {}).close();
    return true;
  } catch {
    return false;
  }
}
