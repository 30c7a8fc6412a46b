import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { Graph } from "../../lib/onnx/graph.ts";
import { Binding } from "../../lib/ort/binding.ts";
import { findOnnxRuntime } from "../../lib/ort/find.ts";
import { Ort, OrtError } from "../../lib/ort/ort.ts";
import { Session, type View } from "../../lib/ort/session.ts";
import { Value } from "../../lib/ort/value.ts";
import { addOne, device, ort } from "./_runtime.ts";

const floats = (...numbers: number[]) => {
  const memory = device.allocate(4 * numbers.length);
  device.write(memory, 0, Float32Array.from(numbers));
  return memory;
};

Deno.test("Ort knows its version and providers", () => {
  match(ort.version, /^1\.\d+\.\d+$/);
  ok(ort.providers.includes("CPUExecutionProvider"));
});

Deno.test("Ort refuses a path without the library, and a library that is another", () => {
  throws(() => new Ort("/no/such/libonnxruntime.so"), (error: unknown) => {
    ok(error instanceof InputError);
    match(error.message, /^Cannot open ONNX Runtime at \/no\/such\/libonnxruntime\.so: /);
    return error.cause !== undefined;
  });
  if (Deno.build.os === "linux") throws(() => new Ort("libc.so.6"), InputError);
});

Deno.test("Session says what ORT says of a model it refuses", () => {
  const g = new Graph("wrong");
  g.output("y", g.op("NoSuchOperator", [g.input("x", "float32", ["n"])]), "float32", ["n"]);
  for (
    const [model, code, message] of [
      [g.encode(), 10, /NoSuchOperator/],
      [Uint8Array.of(1, 2, 3), 7, /protobuf/i],
      [new Uint8Array(0), 2, /model data/i],
    ] as const
  ) {
    throws(() => new Session(ort, device, model), (error: unknown) => {
      ok(error instanceof OrtError);
      equal(error.name, "OrtError");
      match(error.message, message);
      equal(error.code, code);
      return true;
    });
  }
});

Deno.test("Session.runOnce() says what ORT says of inputs and outputs that do not fit", () => {
  using session = new Session(ort, device, addOne());
  using memory = floats(1, 2, 3, 4);
  const x: View = ["float32", [2], memory, 0];
  const y: View = ["float32", [2], memory, 8];
  const fails = (inputs: Record<string, View>, outputs: Record<string, View>, message: RegExp) =>
    throws(() => session.runOnce(inputs, outputs), (error: unknown) => {
      ok(error instanceof OrtError, String(error));
      match(error.message, message);
      return true;
    });
  fails({ z: x }, { y }, /input name.*: z/);
  fails({ x }, { z: y }, /output name.*: z/);
  fails({}, { y }, /Missing Input: x/);
  fails({ x }, {}, /output/);
  fails({ x: ["int64", [2], memory, 0] }, { y }, /expected: \(tensor\(float\)\)/);
  fails({ x: ["float32", [2, 1], memory, 0] }, { y }, /Invalid rank for input: x/);
  fails({ x }, { y: ["float32", [1], memory, 8] }, /shape|size/i);
  session.runOnce({ x }, { y });
  const back = new Float32Array(4);
  device.read(memory, 0, back);
  deepEqual([...back], [1, 2, 2, 3]);
});

Deno.test("Session reads weights from a folder it is told of, and says which file is missing", () => {
  const folder = Deno.makeTempDirSync({ prefix: "kvcompress_ort_" });
  try {
    const g = new Graph("weights");
    const x = g.input("x", "float32", [2]);
    // At an unaligned byte.
    g.output("y", g.op("Add", [x, g.external("w", "float32", [2], "a/w ü.bin", 3, 8)]), "float32", [2]);
    const model = g.encode();
    throws(() => new Session(ort, device, model, { weightsFolder: folder }), (error: unknown) => {
      return error instanceof OrtError && /w ü\.bin/.test(error.message);
    });
    Deno.mkdirSync(`${folder}/a`);
    const file = new Uint8Array(11);
    file.set(new Uint8Array(Float32Array.of(10, 20).buffer), 3);
    Deno.writeFileSync(`${folder}/a/w ü.bin`, file);
    using session = new Session(ort, device, model, { weightsFolder: folder, threads: 1 });
    using memory = floats(1, 2);
    session.runOnce({ x: ["float32", [2], memory, 0] }, { y: ["float32", [2], memory, 0] });
    const back = new Float32Array(2);
    device.read(memory, 0, back);
    deepEqual([...back], [11, 22]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("Session.allocatorStats() counts bytes", () => {
  using session = new Session(ort, device, addOne());
  const stats = session.allocatorStats();
  ok(stats.MaxInUse! >= 0, JSON.stringify(stats));
});

Deno.test("Session, Binding and Value are released once, in any order, and are of no use afterwards", () => {
  using memory = floats(1);
  const session = new Session(ort, device, addOne());
  const value = Value.of(ort, device, memory, "float32", [1]);
  const binding = new Binding(session, { x: value }, { y: value }); // one value, two names
  binding.run();
  session[Symbol.dispose]();
  throws(() => binding.run(), { name: "TypeError", message: "Cannot use a session: it was disposed of" });
  binding[Symbol.dispose]();
  for (const thing of [binding, value, session]) {
    thing[Symbol.dispose]();
    thing[Symbol.dispose]();
  }
  throws(() => value.handle, TypeError);
  using other = new Session(ort, device, addOne());
  throws(() => new Binding(other, { x: value }, {}), { message: "Cannot use a value: it was disposed of" });
  const back = new Float32Array(1);
  device.read(memory, 0, back);
  deepEqual([...back], [2]);
});

Deno.test("Binding releases its values when it cannot be made", () => {
  using session = new Session(ort, device, addOne());
  using memory = floats(1);
  const value = Value.of(ort, device, memory, "float32", [1]);
  throws(() => new Binding(session, { x: value, nothing: value }, {}), OrtError);
  throws(() => value.handle, TypeError);
});

Deno.test("Value.of() holds a view to its memory", () => {
  using memory = floats(1, 2, 3, 4);
  const of = (shape: number[], offset = 0, dtype: "float32" | "float64" = "float32") =>
    Value.of(ort, device, memory, dtype, shape, offset)[Symbol.dispose]();
  of([4]);
  of([2, 2]);
  of([]); // a scalar
  of([3], 4);
  of([0, 99]); // nothing of it
  of([1], 8, "float64");
  const fails = (shape: number[], offset: number, message: RegExp, dtype: "float32" | "float64" = "float32") =>
    throws(
      () => of(shape, offset, dtype),
      (error: unknown) => error instanceof RangeError && message.test(error.message),
    );
  fails([5], 0, /^Cannot view float32\[5\] at byte 0: 20 bytes do not fit in 16$/);
  fails([4], 4, /do not fit/);
  fails([1], -4, /whole numbers from 0/);
  fails([-1], 0, /whole numbers from 0/);
  fails([NaN], 0, /whole numbers from 0/);
  fails([1.5], 0, /whole numbers from 0/);
  fails([2 ** 53], 0, /whole numbers from 0/);
  fails([1], 2, /no multiple of 4/);
  fails([1], 4, /no multiple of 8/, "float64");
});

Deno.test("findOnnxRuntime()'s library can be opened twice", () => {
  const again = new Ort(findOnnxRuntime().libraryPath);
  using session = new Session(again, device, addOne());
  using memory = floats(1);
  session.runOnce({ x: ["float32", [1], memory, 0] }, { y: ["float32", [1], memory, 0] });
});
