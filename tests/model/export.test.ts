/** Errors in an export are reported before anything is loaded. */
import { match, throws } from "node:assert/strict";
import { join } from "@std/path";
import proto from "onnx-proto";
import { InputError } from "../../lib/util/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { exported, ExportFolder } from "./_exports.ts";

type Model = proto.onnx.IModelProto;
type Names = { name?: string | null }[];

const { onnx } = proto;
const whole = await exported("model.onnx");

/** Checks the error of opening a folder against a pattern. */
function fails(path: string, message: RegExp): void {
  throws(() => openModelFolder(path), (error) => {
    match((error as Error).message, message);
    match((error as Error).message, /^Cannot [^\n]*[^.]$/);
    return error instanceof InputError;
  });
}

/** An export, changed. */
function changed(change: (model: Model & { graph: proto.onnx.IGraphProto }) => void): Uint8Array {
  const model = onnx.ModelProto.decode(whole);
  change(model as Model & { graph: proto.onnx.IGraphProto });
  return onnx.ModelProto.encode(model).finish();
}

const without = (list: Names | null | undefined, pattern: RegExp) => list!.filter(({ name }) => !pattern.test(name!));

Deno.test("an export of another kind is refused, with what it takes or gives", () => {
  using folder = new ExportFolder();
  const is = (change: Parameters<typeof changed>[0], message: RegExp) => {
    folder.write("model.onnx", changed(change));
    fails(folder.path, message);
  };
  is(
    ({ graph }) => graph.output = without(graph.output, /^present/),
    /model\.onnx: it gives logits, and no "present\.0\.key"; export it with its cache: optimum-cli export onnx --task /,
  );
  is(
    ({ graph }) => graph.output = without(graph.output, /^present\.1\.value/),
    /it has 3 outputs "present\.N\.key", and no "present\.1\.value"$/,
  );
  is(({ graph }) => graph.output = without(graph.output, /^logits/), /and no "logits"$/);
  is(
    ({ graph }) => graph.input = without(graph.input, /^past_key_values\.2\.key/),
    /it gives 3 layers' cache, and takes no "past_key_values\.2\.key"$/,
  );
  is(
    ({ graph }) => graph.input = without(graph.input, /^past_key_values/),
    /it takes no past_key_values, only a whole text; put its decoder_with_past_model\.onnx next to it/,
  );
  is(
    ({ graph }) => graph.input!.push({ ...graph.input![0]!, name: "token_type_ids" }),
    /it takes "token_type_ids", which is not known; an exported decoder takes input_ids, attention_mask, position_ids, /,
  );
  is(
    ({ graph }) => {
      graph.input![0]!.name = "inputs_embeds";
      graph.node!.forEach(({ input }) => input!.forEach((x, i) => input![i] = x === "input_ids" ? "inputs_embeds" : x));
    },
    /it takes inputs_embeds, .*, and no "input_ids"; it is not a decoder of token ids$/,
  );
  is(
    ({ graph }) => graph.output!.find(({ name }) => name === "present.0.key")!.type!.tensorType!.elemType = 2,
    /"present\.0\.key" is uint8, float32, float16 or bfloat16 is needed$/,
  );
  is(({ opsetImport }) => opsetImport![0]!.version = 9, /it is of ONNX opset 9, 11 to \d+ are supported/);
});

Deno.test("an export of another model than config.json's is refused", () => {
  using folder = new ExportFolder();
  folder.write("model.onnx", whole);
  const config = JSON.parse(Deno.readTextFileSync(join(folder.path, "config.json")));
  const is = (change: Record<string, unknown>, message: RegExp) => {
    folder.write("config.json", new TextEncoder().encode(JSON.stringify({ ...config, ...change })));
    fails(folder.path, message);
  };
  is(
    { num_hidden_layers: 4, layer_types: null },
    /: it has 3 layers, config\.json says 4; they are of different models$/,
  );
  is({ num_key_value_heads: 1 }, /: it has 2 KV heads, config\.json says 1; /);
  is({ hidden_size: 64, head_dim: 16 }, /: it has 8 dimensions per head, config\.json says 16; /);
  is({ vocab_size: 300 }, /: it has 256 columns of logits, config\.json says 300; /);
});

Deno.test("a file that is no model, or was cut short, is refused", () => {
  using folder = new ExportFolder();
  const is = (content: Uint8Array, message: RegExp) => {
    folder.write("model.onnx", content);
    fails(folder.path, message);
  };
  const text = (text: string) => new TextEncoder().encode(text);
  is(text(""), /model\.onnx: it is no ONNX model: it has no graph; download it again$/);
  is(text("<html>not found</html>"), /model\.onnx: it is no ONNX model.*; download it again$/);
  is(
    text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
    /: it is a Git LFS pointer; run `git lfs/,
  );
  for (const share of [0.01, 0.3, 0.5, 0.7, 0.9]) {
    is(whole.subarray(0, Math.floor(whole.length * share)), /Cannot use .*model\.onnx: /);
  }
});

Deno.test("an export's weights that are missing, short or elsewhere are named", async () => {
  using folder = new ExportFolder();
  await folder.put("fused.onnx", "model.onnx");
  fails(folder.path, /model\.onnx: its weights are in .*model\.onnx\.data, which does not exist; download it as well$/);
  const data = await exported("fused.onnx.data");
  folder.write("model.onnx.data", data.subarray(0, 1000));
  fails(
    folder.path,
    /model\.onnx: tensor ".*" ends at byte \d+ of .*model\.onnx\.data, which has 1000; it was cut short/,
  );
  const model = onnx.ModelProto.decode(await exported("fused.onnx"));
  for (const place of ["../secret", "/etc/passwd", ""]) {
    model.graph!.initializer![0]!.externalData!.find(({ key }) => key === "location")!.value = place;
    folder.write("model.onnx", onnx.ModelProto.encode(model).finish());
    fails(folder.path, /tensor ".*" lies in ".*", which is not next to the model$/);
  }
});

Deno.test("a named file that is not there, and a folder without config.json", async () => {
  using folder = new ExportFolder();
  fails(join(folder.path, "model_q4.onnx"), /^Cannot open model .*model_q4\.onnx: there is no such file; /);
  fails(folder.path, /^Cannot find weights in .*: looked for model\.safetensors, .* and model\.onnx$/);
  await folder.put("model.onnx", "model_q4.onnx");
  fails(
    folder.path,
    /found model_q4\.onnx; to run an export by another name, name the file: --model_id .*model_q4\.onnx$/,
  );
  Deno.removeSync(join(folder.path, "config.json"));
  fails(join(folder.path, "model_q4.onnx"), /^Cannot open model .*: it holds no config\.json; /);
});
