import { equal, ok } from "node:assert/strict";
import proto from "onnx-proto";
import { buildDecoder } from "../../lib/model/graph/decoder.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { configOf, neox, randomWeights, runtime, storedWeights, temporaryFolder, writeModel } from "./_models.ts";

/** The most likely token after `ids`, by the graph. */
function argmaxOf(folder: string, ids: readonly number[]): number {
  const model = openModelFolder(folder);
  using engine = new Engine(runtime(), model, {
    dtype: "float32",
    attention: "fused",
    maxPositions: ids.length,
    table: { layers: [[], []] },
  });
  using sequence = engine.sequence([{ tokens: ids.length, times: 1 }], 0);
  sequence.forward(ids, 0);
  return sequence.read().argmax;
}

Deno.test("argmax is the first of equal logits, and a token where logits are not numbers", () => {
  const model = neox();
  const weights = randomWeights(model);
  using folder = temporaryFolder();
  // Whatever the layers give, the last norm makes ones of it: logits are sums of a row of the output matrix, exact.
  weights.get("gpt_neox.final_layer_norm.weight")!.fill(0);
  weights.get("gpt_neox.final_layer_norm.bias")!.fill(1);
  const rows = weights.get("embed_out.weight")!.fill(0);
  for (const id of [49, 7, 31]) rows.fill(2, id * model.hidden, (id + 1) * model.hidden);
  const path = writeModel(folder.path, configOf(model), storedWeights(model, weights));
  equal(argmaxOf(path, [1, 2, 3]), 7);

  weights.get("gpt_neox.final_layer_norm.bias")!.fill(NaN);
  writeModel(path, configOf(model), storedWeights(model, weights));
  equal(argmaxOf(path, [1, 2, 3]), model.vocab - 1);
});

Deno.test("weightBytes counts what the graph reads, a shared matrix once", () => {
  const options = {
    dtype: "float32",
    device: "cpu",
    attention: "fused",
    maxPositions: 4,
    rotate: "write",
    groups: [0, 0],
  } as const;
  for (const tied of [false, true]) {
    const model = neox({ tied });
    using folder = temporaryFolder();
    const extra = { unused: { dtype: "U8", shape: [8], data: new Uint8Array(8) } };
    writeModel(folder.path, configOf(model), { ...extra, ...storedWeights(model, randomWeights(model), "F16") });
    const opened = openModelFolder(folder.path);
    const all = [...opened.tensors].reduce((sum, [name, { bytes }]) => name === "unused" ? sum : sum + bytes, 0);
    const { weightBytes, bytes } = buildDecoder(opened, options);
    equal(weightBytes, all);
    ok(bytes.length < 20_000, `${bytes.length} bytes of graph for ${all} of weights`);
    // ORT folds each Cast into a matrix of its own.
    const casts = proto.onnx.ModelProto.decode(bytes).graph!.node!.filter(({ opType, input }) =>
      opType === "Cast" && input![0] === "gpt_neox.embed_in.weight"
    );
    equal(casts.length, 1);
  }
});
