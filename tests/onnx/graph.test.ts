import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import proto from "onnx-proto";
import { type DType, DTYPES } from "../../lib/util/dtype.ts";
import { Graph } from "../../lib/onnx/graph.ts";
import { CpuDevice } from "../../lib/ort/cpu_device.ts";
import { findOnnxRuntime } from "../../lib/ort/find.ts";
import { Ort } from "../../lib/ort/ort.ts";
import { Session, type View } from "../../lib/ort/session.ts";

const decode = (g: Graph) => proto.onnx.ModelProto.decode(g.encode());

/** Runs a graph of float32 inputs and outputs on the real library. */
function run(g: Graph, inputs: Record<string, number[]>, outputs: Record<string, number>): Record<string, number[]> {
  using device = new CpuDevice();
  using session = new Session(new Ort(findOnnxRuntime().libraryPath), device, g.encode(), { threads: 1 });
  const view = (length: number): View => ["float32", [length], device.allocate(4 * length), 0];
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, numbers]) => {
      const made = view(numbers.length);
      device.write(made[2], 0, Float32Array.from(numbers));
      return [name, made];
    }),
  );
  const wanted = Object.fromEntries(Object.entries(outputs).map(([name, length]) => [name, view(length)]));
  session.runOnce(given, wanted);
  return Object.fromEntries(
    Object.entries(wanted).map(([name, [, [length], memory]]) => {
      const numbers = new Float32Array(length!);
      device.read(memory, 0, numbers);
      return [name, [...numbers]];
    }),
  );
}

Deno.test("Graph states its opset, com.microsoft's and an IR version that ORT takes", () => {
  const { opsetImport, irVersion, graph } = decode(new Graph("named", 24));
  deepEqual(opsetImport.map(({ domain, version }) => [domain, Number(version)]), [["", 24], ["com.microsoft", 1]]);
  equal(Number(irVersion), 10);
  equal(graph!.name, "named");
});

Deno.test("Graph.constant() stores equal small constants once, and only equal ones", () => {
  const g = new Graph("constants");
  const ones = Float32Array.of(1, 1, 1, 1);
  const one = g.constant("float32", [4], ones);
  equal(g.constant("float32", [4], ones.slice()), one);
  // The same bytes are something else in another shape or type.
  notEqual(g.constant("float32", [2, 2], ones), one);
  notEqual(g.constant("int32", [4], ones), one);
  equal(g.scalar(1), g.scalar(1));
  notEqual(g.scalar(1), g.constant("float32", [1], Float32Array.of(1)));
  notEqual(g.scalar(0), g.scalar(-0));
  notEqual(g.ints(), g.constant("float32", [0], new Float32Array()));
  equal(g.ints(1, -1), g.ints(1, -1));
  notEqual(g.ints(1), g.ints(1, 1));
  equal(decode(g).graph!.initializer!.length, 12);
});

Deno.test("Graph.constant() copies the bytes of the view, and no others", () => {
  const g = new Graph("view");
  const block = Float32Array.of(1, 2, 3, 4);
  g.output(
    "y",
    g.op("Add", [g.input("x", "float32", [2]), g.constant("float32", [2], block.subarray(1, 3))]),
    "float32",
    [2],
  );
  block.fill(0);
  deepEqual(run(g, { x: [10, 10] }, { y: 2 }), { y: [12, 13] });
});

Deno.test("Graph.constant() refuses data that is not of the shape's size", () => {
  const g = new Graph("sizes");
  throws(() => g.constant("float32", [3], new Float32Array(2)), {
    name: "RangeError",
    message: "Cannot make a constant float32[3] of 8 bytes: it has 12",
  });
  throws(() => g.constant("int64", [], Float32Array.of(1)), RangeError);
});

Deno.test("Graph.iota() counts, in both types", () => {
  const g = new Graph("iota");
  const ints = g.iota(3, [3, 1], "int64");
  g.output("y", g.op("Add", [g.iota(3), g.reshape(g.cast(ints, "int64", "float32"), -1)]), "float32", [3]);
  deepEqual(run(g, {}, { y: 3 }), { y: [0, 2, 4] });
});

Deno.test("Graph.output() gives a node's result the output's name, without a copy", () => {
  const g = new Graph("names");
  const sum = g.op("Add", [g.input("x", "float32", ["n"]), g.scalar(1)]);
  const twice = g.op("Add", [sum, sum]);
  g.output("sum", sum, "float32", ["n"]);
  g.output("twice", twice, "float32", ["n"]);
  deepEqual(decode(g).graph!.node!.map(({ opType, output }) => [opType, output]), [["Add", ["sum"]], ["Add", [
    "twice",
  ]]]);
  deepEqual(run(g, { x: [1, 2] }, { sum: 2, twice: 2 }), { sum: [2, 3], twice: [4, 6] });
});

Deno.test("Graph.output() takes inputs, constants and what is an output already", () => {
  const g = new Graph("passed on");
  const x = g.input("x", "float32", [1]);
  const sum = g.op("Add", [x, g.scalar(1)]);
  g.output("same", x, "float32", [1]);
  g.output("sum", sum, "float32", [1]);
  g.output("sum again", sum, "float32", [1]);
  g.output("constant", g.constant("float32", [1], Float32Array.of(7)), "float32", [1]);
  deepEqual(run(g, { x: [3] }, { same: 1, sum: 1, "sum again": 1, constant: 1 }), {
    same: [3],
    sum: [4],
    "sum again": [4],
    constant: [7],
  });
});

Deno.test("Graph gives a name to one thing alone", () => {
  const g = new Graph("twice");
  const x = g.input("x", "float32", [1]);
  const taken = { name: "TypeError", message: 'Cannot name two things "x" in graph twice' };
  throws(() => g.input("x", "float32", [1]), taken);
  throws(() => g.output("x", g.op("Neg", [x]), "float32", [1]), taken);
  throws(() => g.external("x", "float32", [1], "file", 0, 4), taken);
});

Deno.test("Graph names nodes as nothing else is named", () => {
  const g = new Graph("free");
  const x = g.input("x", "float32", [1]);
  const names = Array.from({ length: 20 }, (_, i) => g.external(`Neg_${2 * i}`, "float32", [1], "file", 0, 4));
  const results = Array.from({ length: 10 }, () => g.op("Neg", [x]));
  equal(new Set([...names, ...results]).size, 30);
});

Deno.test("Graph.external() points into a file, once for each name", () => {
  const g = new Graph("external");
  const w = g.external("w", "bfloat16", [2, 3], "shards/a.safetensors", 2 ** 40 + 1, 12);
  equal(g.external("w", "bfloat16", [2, 3], "shards/a.safetensors", 2 ** 40 + 1, 12), w);
  throws(() => g.external("w", "float16", [2, 3], "shards/a.safetensors", 2 ** 40 + 1, 12), TypeError);
  const [initializer, ...others] = decode(g).graph!.initializer!;
  equal(others.length, 0);
  equal(initializer!.dataType, DTYPES.bfloat16.onnx);
  deepEqual(initializer!.dims!.map(Number), [2, 3]);
  deepEqual(initializer!.externalData!.map(({ key, value }) => [key, value]), [
    ["location", "shards/a.safetensors"],
    ["offset", "1099511627777"],
    ["length", "12"],
  ]);
});

Deno.test("Graph.op() writes each kind of attribute, and inputs left out", () => {
  const g = new Graph("attributes");
  const x = g.input("x", "float32", [1]);
  g.op("Any", [x, "", x], {
    int: -3,
    zero: 0,
    big: 2 ** 53 - 1,
    fraction: 0.5,
    float: { float: 2 },
    text: "tanh é",
    list: [0, -1, 2],
    none: [],
  }, "com.microsoft");
  const [node] = decode(g).graph!.node!;
  deepEqual([node!.opType, node!.domain, node!.input], ["Any", "com.microsoft", ["x", "", "x"]]);
  const { INT, FLOAT, STRING, INTS } = proto.onnx.AttributeProto.AttributeType;
  const text = new TextDecoder();
  deepEqual(
    node!.attribute!.map(({ name, type, i, f, s, ints }) => [
      name,
      type,
      type === INT ? Number(i) : type === FLOAT ? f : type === STRING ? text.decode(s!) : ints!.map(Number),
    ]),
    [
      ["int", INT, -3],
      ["zero", INT, 0],
      ["big", INT, 2 ** 53 - 1],
      ["fraction", FLOAT, 0.5],
      ["float", FLOAT, 2],
      ["text", STRING, "tanh é"],
      ["list", INTS, [0, -1, 2]],
      ["none", INTS, []],
    ],
  );
  throws(() => g.op("Any", [x], { list: [1, 0.5] }), TypeError);
});

Deno.test("Graph.ops() gives several results, each of a name of its own", () => {
  const g = new Graph("split");
  const x = g.input("x", "float32", [3]);
  const [first, second] = g.ops("Split", [x, g.ints(1, 2)], 2, { axis: 0 });
  g.output("a", first!, "float32", [1]);
  g.output("b", second!, "float32", [2]);
  deepEqual(run(g, { x: [1, 2, 3] }, { a: 1, b: 2 }), { a: [1], b: [2, 3] });
});

Deno.test("Graph.cast() converts between all types, and adds nothing for the same", () => {
  const g = new Graph("casts");
  const x = g.input("x", "float32", [2]);
  equal(g.cast(x, "float32", "float32"), x);
  const others: DType[] = ["float16", "bfloat16", "float64", "int32", "int64", "uint8", "int8", "bool"];
  for (const dtype of others) {
    g.output(dtype, g.cast(g.cast(x, "float32", dtype), dtype, "float32"), "float32", [2]);
  }
  const results = run(g, { x: [0, 1] }, Object.fromEntries(others.map((dtype) => [dtype, 2])));
  for (const dtype of others) deepEqual(results[dtype], [0, 1], dtype);
});

Deno.test("Graph's dimensions are numbers, zero too, or names", () => {
  const g = new Graph("dims");
  g.input("x", "int64", [0, "tokens", 5]);
  const { dim } = decode(g).graph!.input![0]!.type!.tensorType!.shape!;
  deepEqual(dim!.map((d) => d.dimParam || Number(d.dimValue)), [0, "tokens", 5]);
});
