/** The graph written for CUDA, run with the CPU's kernels of the same names: this shows a node wired wrongly. */
import { ok } from "node:assert/strict";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import { emitDecoder } from "../../lib/model/graph/decoder.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { shortestWindow } from "../../lib/model/spec.ts";
import { Weights } from "../../lib/model/graph/weights.ts";
import { Graph } from "../../lib/onnx/graph.ts";
import { Session, type View } from "../../lib/ort/session.ts";
import {
  configOf,
  farthest,
  logitsOf,
  neox,
  randomWeights,
  runtime,
  storedWeights,
  temporaryFolder,
  writeModel,
} from "./_models.ts";

/** Logits of one pass over an empty cache, and the most bytes in use in addition to the weights. */
function cudaForm(
  model: ModelFolder,
  ids: readonly number[],
  attention: AttentionForm,
): { logits: Float32Array[]; bytes: number } {
  const { spec } = model;
  const { ort, device } = runtime();
  const g = new Graph("decoder", 24);
  const weights = new Weights(model, g, "float32");
  const groups = new Array<number>(spec.layers).fill(0);
  emitDecoder(g, spec, weights, {
    dtype: "float32",
    device: "cuda",
    attention,
    maxPositions: ids.length,
    rotate: "write",
    groups,
    ...(attention === "explicit" ? { window: { by: "index", evicted: [] } } : {}),
    logits: true,
  });
  using session = new Session(ort, device, g.encode(), { weightsFolder: weights.folder, threads: 1 });
  using stack = new DisposableStack();
  const allocate = (bytes: number) => stack.use(device.allocate(bytes));
  const long = (shape: number[], numbers: readonly number[]): View => {
    const memory = allocate(8 * numbers.length);
    device.write(memory, 0, BigInt64Array.from(numbers, BigInt));
    return ["int64", shape, memory, 0];
  };
  const int = (number: number): View => {
    const memory = allocate(4);
    device.write(memory, 0, Int32Array.of(number));
    return ["int32", [1], memory, 0];
  };
  const places = ids.map((_, i) => i);
  const tokens = ids.length;
  const inputs: Record<string, View> = {
    input_ids: long([tokens], ids),
    position_ids: long([1, tokens], places),
    target: long([1], [0]),
    ...(attention === "explicit"
      ? { rows: long([tokens, 1], places), "past.0": long([1], [0]), "slots.0": long([1, tokens], places) }
      : { "last_slot.0": int(tokens - 1), "total.0": int(tokens) }),
  };
  const memory = allocate(4 * tokens * spec.vocab);
  const outputs: Record<string, View> = {
    nll: ["float32", [1], allocate(4), 0],
    argmax: ["int64", [1], allocate(8), 0],
    logits: ["float32", [tokens, spec.vocab], memory, 0],
  };
  for (let layer = 0; layer < spec.layers; layer++) {
    for (const kind of ["key", "value"]) {
      const shape = [1, spec.kvHeads, tokens, spec.headDim];
      const buffer: View = ["float32", shape, allocate(4 * shape.reduce((a, b) => a * b)), 0];
      inputs[`past_${kind}.${layer}`] = outputs[`present_${kind}.${layer}`] = buffer;
    }
  }
  const { InUse: before } = session.allocatorStats();
  session.runOnce(inputs, outputs);
  const bytes = session.allocatorStats().MaxInUse! - before!;
  const logits = new Float32Array(tokens * spec.vocab);
  device.read(memory, 0, logits);
  return { logits: ids.map((_, i) => logits.slice(i * spec.vocab, (i + 1) * spec.vocab)), bytes };
}

const TINY = new URL("../fixtures/tiny/", import.meta.url);
for (const { name } of Deno.readDirSync(TINY)) {
  Deno.test(`${name} gives the same in the form written for CUDA`, () => {
    const model = openModelFolder(new URL(name, TINY).pathname);
    const ids = Array.from({ length: 20 }, (_, i) => (i * 37 + 5) % model.spec.vocab);
    const expected = logitsOf(model, ids, [20], "explicit");
    const isCut = shortestWindow(model.spec) < 20;
    for (const attention of isCut ? ["explicit"] as const : ["fused", "explicit"] as const) {
      const difference = farthest(cudaForm(model, ids, attention).logits, expected);
      ok(difference < 1e-4, `${attention}: off by ${difference}`);
    }
  });
}

Deno.test("a prompt's pass has in use what is alive, not what any layer had", () => {
  const [tokens, hidden] = [512, 128];
  const shape = neox({ layers: 4, hidden, heads: 4, rotary: 8 });
  using folder = temporaryFolder();
  const model = openModelFolder(writeModel(folder.path, configOf(shape), storedWeights(shape, randomWeights(shape))));
  const { bytes } = cudaForm(model, Array.from({ length: tokens }, (_, i) => i % shape.vocab), "fused");
  // 8.5 of them; 19.5 if tokens were a named dimension.
  const activations = bytes / (4 * tokens * hidden);
  ok(activations < 10, `as much as ${activations} activations`);
});
