/** Weights in one block of memory, as a session's initializers: with the real library, on the CPU. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/util/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { placeWeights, WeightBlock } from "../../lib/model/graph/weight_block.ts";
import { Weights } from "../../lib/model/graph/weights.ts";
import { Graph } from "../../lib/onnx/graph.ts";
import { CpuDevice } from "../../lib/ort/cpu_device.ts";
import { CustomOps } from "../../lib/ort/custom_ops.ts";
import { Session } from "../../lib/ort/session.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { embeddedModel } from "../parity/golden.ts";
import { configOf, neox, randomWeights, runtime, storedWeights, temporaryFolder, writeFiles } from "./_models.ts";
import { safetensors } from "./_safetensors.ts";

const IDS = Array.from({ length: 12 }, (_, i) => (5 + 7 * i) % 50);

/** Logits of a prompt, with weights from the files or in a block. */
function logits(path: string, weightBlock: boolean, dtype: "float16" | "float32" = "float32") {
  const model = openModelFolder(path);
  using engine = new Engine(runtime(), model, {
    dtype,
    attention: "fused",
    maxPositions: IDS.length,
    table: { layers: Array.from({ length: model.spec.layers }, () => []) },
    threads: 1,
    logits: true,
    weightBlock,
  });
  using sequence = engine.sequence([{ tokens: IDS.length, times: 1 }], 0);
  sequence.forward(IDS, 0);
  sequence.read();
  return { logits: sequence.logits(), bytes: engine.weights?.bytes ?? 0, stored: engine.weightBytes };
}

/** A model in two shards, at unaligned offsets. */
function shardedModel(folder: string, dtype: "F32" | "F16", model = neox()): string {
  const tensors = Object.entries(storedWeights(model, randomWeights(model), dtype));
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const of = (_: unknown, i: number) => i % 3 === 0 ? 0 : 1; // neighbours in the model are not in a file
  const files = shards.map((name, shard) => {
    // A weight that the decoder does not use, between others
    const own = [...tensors.filter((entry, i) => of(entry, i) === shard)];
    own.splice(2, 0, [`unused.${shard}`, { dtype: "U8", shape: [7], data: new Uint8Array(7) }]);
    return [name, safetensors(Object.fromEntries(own), 1)] as const;
  });
  const weight_map = Object.fromEntries([
    ...tensors.map((entry, i) => [entry[0], shards[of(entry, i)]!]),
    ...shards.map((name, shard) => [`unused.${shard}`, name]),
  ]);
  return writeFiles(folder, {
    "config.json": configOf(model),
    "model.safetensors.index.json": { metadata: {}, weight_map },
    ...Object.fromEntries(files),
  });
}

for (const tied of [false, true]) {
  Deno.test(`a block gives the files' logits, from shards at any offset${tied ? ", embeddings tied" : ""}`, () => {
    using folder = temporaryFolder();
    const path = shardedModel(folder.path, "F32", neox({ tied }));
    const offsets = [...openModelFolder(path).tensors.values()].map(({ offset }) => offset % 4);
    ok(offsets.some((rest) => rest !== 0), "the test's offsets are no multiples");
    const before = runtime().device.allocated;
    const block = logits(path, true), files = logits(path, false);
    deepEqual(block.logits, files.logits);
    equal(files.bytes, 0);
    ok(block.stored <= block.bytes && block.bytes < block.stored + 256 * 40, `${block.bytes} for ${block.stored}`);
    equal(runtime().device.allocated, before);
  });
}

Deno.test("weights of another type than the one computed in stay where they are", () => {
  using folder = temporaryFolder();
  const path = shardedModel(folder.path, "F16");
  equal(placeWeights(openModelFolder(path), "float32").bytes, 0);
  deepEqual(logits(path, true, "float32").logits, logits(path, false, "float32").logits);
  deepEqual(logits(path, true, "float16").logits, logits(path, false, "float16").logits);
});

Deno.test("a session takes a block's weights where they lie", () => {
  const { ort } = runtime();
  const model = embeddedModel();
  using device = new CpuDevice();
  using block = new WeightBlock({ ort, device, host: device }, model, "float16");
  block.wait();
  const g = new Graph("reveal");
  const weights = new Weights(model, g, "float16");
  const { places } = placeWeights(model, "float16");
  const tensors = places.map(({ name, stored }) => weights.get(name, stored.shape));
  using customOps = new CustomOps(ort, device);
  let seen: bigint[] = [];
  const revealed = customOps.reveal(g, tensors, (inputs) => {
    seen = inputs.map(({ pointer }) => Deno.UnsafePointer.value(pointer));
  });
  g.output("revealed", revealed, "float32", [1]);
  using _ = new Session(ort, device, g.encode(), {
    customOps,
    weightsFolder: weights.folder,
    initializers: block.values,
  });
  const first = seen[0]! - BigInt(places[0]!.to);
  deepEqual(seen.map((address) => Number(address - first)), places.map(({ to }) => to));
  ok(places.every(({ to }) => to % 256 === 0));
});

Deno.test("a file that became shorter since its header was read is an error that names it", () => {
  using folder = temporaryFolder();
  const path = shardedModel(folder.path, "F32");
  const model = openModelFolder(path);
  const file = join(path, "model-00002-of-00002.safetensors");
  Deno.truncateSync(file, Deno.statSync(file).size - 10);
  using device = new CpuDevice();
  using block = new WeightBlock({ ort: runtime().ort, device, host: device }, model, "float32");
  throws(() => block.wait(), (error: Error) => {
    ok(error instanceof InputError && error.message.startsWith(`Cannot read ${file}: it ends at byte `), String(error));
    return true;
  });
});
