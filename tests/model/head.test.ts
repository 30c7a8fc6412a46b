/** What is computed from a token's logits, against plain float64. */
import { equal, ok } from "node:assert/strict";
import { emitPrediction } from "../../lib/model/graph/head.ts";
import { Graph } from "../../lib/onnx/graph.ts";
import { Session, type View } from "../../lib/ort/session.ts";
import { device, ort } from "../ort/_runtime.ts";
import { normals } from "./_models.ts";

/** Returns a function that computes the NLL and the argmax of a row of logits. */
function predictor(vocab: number) {
  const g = new Graph("prediction", 24);
  emitPrediction(g, g.input("logits", "float32", [1, vocab]), vocab);
  const session = new Session(ort, device, g.encode(), { threads: 1 });
  const row = device.allocate(4 * vocab), block = device.allocate(24);
  const at = (dtype: "float32" | "int64", offset: number): View => [dtype, [1], block, offset];
  return {
    predict: (logits: Float32Array<ArrayBuffer>, target: number) => {
      device.write(row, 0, logits);
      device.write(block, 0, BigInt64Array.of(BigInt(target)));
      const inputs: Record<string, View> = { logits: ["float32", [1, vocab], row, 0], target: at("int64", 0) };
      session.runOnce(inputs, { nll: at("float32", 8), argmax: at("int64", 16) });
      const view = new DataView(new ArrayBuffer(24));
      device.read(block, 0, view);
      return { nll: view.getFloat32(8, true), argmax: Number(view.getBigInt64(16, true)) };
    },
    [Symbol.dispose]: () => [session, row, block].forEach((part) => part[Symbol.dispose]()),
  };
}

/** The NLL in float64. */
function nllOf(logits: Float32Array, target: number): number {
  const best = logits.reduce((a, b) => Math.max(a, b));
  return Math.log(logits.reduce((sum, x) => sum + Math.exp(x - best), 0)) + best - logits[target]!;
}

Deno.test("the NLL is right to float32's precision for every vocabulary, and the argmax is the first of the largest", () => {
  for (const vocab of [1000, 4096, 50_257, 151_936, 200_000]) {
    using of = predictor(vocab);
    for (const scale of [1, 3, 10, 30]) {
      const normal = normals(vocab + scale);
      const logits = Float32Array.from({ length: vocab }, () => scale * normal());
      const first = logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
      // Likely tokens, and any.
      for (const target of [first, logits.findIndex((x) => x > 2 * scale), 7, vocab - 1]) {
        const { nll, argmax } = of.predict(logits, target);
        const right = nllOf(logits, target);
        // Rounding of the result and of the largest logit less the target's, and of single terms.
        const limit = 2 ** -23 * right + 1e-7;
        ok(Math.abs(nll - right) < limit, `${vocab} logits x ${scale}, token ${target}: NLL ${nll}, not ${right}`);
        equal(argmax, first);
      }
      logits[vocab - 1] = logits[first]!;
      equal(of.predict(logits, 0).argmax, first);
    }
  }
});

Deno.test("a likely token's NLL includes all of a long tail: a float32 sum one by one drops it", () => {
  for (const [vocab, tail] of [[50_304, -17.5], [151_936, -18], [151_936, -12]] as const) {
    using of = predictor(vocab);
    const logits = new Float32Array(vocab).fill(tail);
    logits[3] = 0;
    const { nll } = of.predict(logits, 3);
    const right = nllOf(logits, 3);
    ok(Math.abs(nll / right - 1) < 3e-7, `tail ${tail}: NLL ${nll}, not ${right}`);
  }
});

Deno.test("logits that are not numbers give no likelihood, and a token that exists", () => {
  using of = predictor(300);
  const logits = new Float32Array(300);
  logits[299] = NaN;
  const { nll, argmax } = of.predict(logits, 0);
  ok(Number.isNaN(nll));
  ok(argmax >= 0 && argmax < 300);
  // Masked tokens have no share.
  logits.fill(-Infinity).set([1, 1]);
  equal(of.predict(logits, 1).nll, Math.fround(Math.log(2)));
});
