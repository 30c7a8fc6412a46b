import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import proto from "onnx-proto";
import { Graph } from "../../lib/onnx/graph.ts";
import { skimModel } from "../../lib/onnx/skim_model.ts";

const { onnx } = proto;
const path = Deno.makeTempFileSync({ prefix: "skim-" });
globalThis.addEventListener("unload", () => Deno.removeSync(path));

/** A model with constants of some sizes. */
function modelOf(sizes: readonly number[]): Uint8Array<ArrayBuffer> {
  const g = new Graph("sum", 21);
  let x = g.input("x", "float32", []);
  for (const [i, size] of sizes.entries()) {
    const weights = g.constant("float32", [size], Float32Array.from({ length: size }, (_, j) => i + j));
    x = g.op("ReduceSum", [g.op("Add", [x, weights])], { keepdims: 0 });
  }
  g.output("y", x, "float32", []);
  return g.encode();
}

Deno.test("skimModel() decodes all except large initializers, which lie where it says", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 8 }), (sizes) => {
    const bytes = modelOf(sizes);
    Deno.writeFileSync(path, bytes);
    const whole = onnx.ModelProto.decode(bytes);
    const { model, spans } = skimModel(path, 1000);
    for (const tensor of model.graph!.initializer!) {
      const { rawData } = whole.graph!.initializer!.find(({ name }) => name === tensor.name)!;
      const span = spans.get(tensor);
      equal(span !== undefined, rawData!.length > 1000);
      if (!span) continue;
      equal(tensor.rawData?.length ?? 0, 0);
      tensor.rawData = bytes.slice(span.offset, span.offset + span.length);
    }
    deepEqual(onnx.ModelProto.encode(model).finish(), onnx.ModelProto.encode(whole).finish());
  }));
});

Deno.test("skimModel() of anything else gives an error, or next to nothing", () => {
  const bytes = modelOf([400, 3]);
  const reads = (content: Uint8Array) => {
    Deno.writeFileSync(path, content);
    skimModel(path, 1000);
  };
  for (let length = 1; length < bytes.length; length += 7) {
    const cut = bytes.subarray(0, length);
    // If a message ends at the cut, it is a shorter one.
    try {
      reads(cut);
    } catch (error) {
      ok(error instanceof Error, `${error}`);
    }
  }
  throws(() => reads(new TextEncoder().encode("<html>")), SyntaxError);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
    try {
      reads(noise);
    } catch (error) {
      ok(error instanceof Error, `${error}`);
    }
  }));
});
