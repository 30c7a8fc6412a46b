/** Custom operators in a real session: what they get, what they return, and what happens when one throws. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { Graph, type Tensor } from "../../lib/onnx/graph.ts";
import { type Argument, CustomOps } from "../../lib/ort/custom_ops.ts";
import { OrtError } from "../../lib/ort/ort.ts";
import { Session, type View } from "../../lib/ort/session.ts";
import { device, ort } from "./_runtime.ts";

const floats = (at: Deno.PointerValue, count: number) =>
  new Float32Array(Deno.UnsafePointerView.getArrayBuffer(at!, 4 * count));
const longs = (at: Deno.PointerValue, count: number) =>
  new BigInt64Array(Deno.UnsafePointerView.getArrayBuffer(at!, 8 * count));

/** Runs a graph once on float inputs; returns the content of each output. */
function run(
  session: Session,
  inputs: Readonly<Record<string, readonly [shape: number[], numbers: number[]]>>,
  outputs: Readonly<Record<string, readonly ["float32" | "int64", number[]]>>,
): Record<string, number[]> {
  using made = new DisposableStack();
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, [shape, numbers]]): [string, View] => {
      const memory = made.use(device.allocate(4 * numbers.length));
      device.write(memory, 0, Float32Array.from(numbers));
      return [name, ["float32", shape, memory, 0]];
    }),
  );
  const taken = Object.entries(outputs).map(([name, [type, shape]]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const memory = made.use(device.allocate(8 * count));
    return { name, type, count, memory, view: [type, shape, memory, 0] as View };
  });
  session.runOnce(given, Object.fromEntries(taken.map(({ name, view }) => [name, view])));
  return Object.fromEntries(taken.map(({ name, type, count, memory }) => {
    const data = type === "int64" ? new BigInt64Array(count) : new Float32Array(count);
    device.read(memory, 0, data);
    return [name, Array.from<number | bigint, number>(data, Number)];
  }));
}

Deno.test("an output's shape may follow from the inputs', and constants lie where they lay", () => {
  using ops = new CustomOps(ort, device);
  const g = new Graph("as_many");
  const x = g.input("x", "float32", ["n"]);
  const places: Deno.PointerValue[] = [];
  const doubled = ops.call(
    g,
    [x, g.constant("float32", [1], Float32Array.of(2))],
    [{ dtype: "float32", shape: ([x]) => [x!.shape[0]!, 1] }],
    ([x, by], [y]) => {
      places.push(by!.pointer);
      const n = x!.shape[0]!, [factor] = floats(by!.pointer, 1);
      floats(y!, n).set(floats(x!.pointer, n).map((x) => x * factor!));
    },
  )[0]!;
  g.output("y", doubled, "float32", ["n", 1]);
  using session = new Session(ort, device, g.encode(), { customOps: ops });
  deepEqual(run(session, { x: [[3], [1, 2, 3]] }, { y: ["float32", [3, 1]] }), { y: [2, 4, 6] });
  deepEqual(run(session, { x: [[1], [5]] }, { y: ["float32", [1, 1]] }), { y: [10] });
  ok(Deno.UnsafePointer.equals(places[0]!, places[1]!));
});

Deno.test("an operator is given shapes as they are at run time, and gives several outputs of several types", () => {
  using ops = new CustomOps(ort, device);
  const g = new Graph("several");
  const x = g.input("x", "float32", ["rows", 2]);
  const y = g.input("y", "float32", [1]);
  const seen: (readonly number[])[][] = [];
  const [sums, count, last] = ops.call(
    g,
    [x, y],
    [{ dtype: "float32", shape: [2] }, { dtype: "int64", shape: [1, 1] }, { dtype: "float32", shape: [1] }],
    ([x, y], [sums, count, last]) => {
      seen.push([x!.shape, y!.shape]);
      const rows = x!.shape[0]!, numbers = floats(x!.pointer, 2 * rows), [plus] = floats(y!.pointer, 1);
      const sum = (column: number) => numbers.reduce((sum, x, i) => i % 2 === column ? sum + x : sum, plus!);
      floats(sums!, 2).set([sum(0), sum(1)]);
      longs(count!, 1)[0] = BigInt(rows);
      floats(last!, 1)[0] = numbers.at(-1)!;
    },
  ) as [Tensor, Tensor, Tensor];
  // One of them goes on through an operator of ONNX's.
  g.output("sums", g.op("Neg", [sums]), "float32", [2]);
  g.output("count", count, "int64", [1, 1]);
  g.output("last", last, "float32", [1]);
  using session = new Session(ort, device, g.encode(), { customOps: ops, threads: 1 });
  const outputs = { sums: ["float32", [2]], count: ["int64", [1, 1]], last: ["float32", [1]] } as const;
  const of = (rows: number[][]) =>
    run(session, { x: [[rows.length, 2], rows.flat()], y: [[1], [10]] }, outputs as never);
  deepEqual(of([[1, 2], [3, 4]]), { sums: [-14, -16], count: [2], last: [4] });
  deepEqual(of([[5, 6]]), { sums: [-15, -16], count: [1], last: [6] });
  deepEqual(seen, [[[2, 2], [1]], [[1, 2], [1]]]);
});

Deno.test("nodes of one operator each do their own work, in the order of the data", () => {
  using ops = new CustomOps(ort, device);
  const g = new Graph("chain");
  const order: number[] = [];
  const node = (x: Tensor, by: number) =>
    ops.call(g, [x], [{ dtype: "float32", shape: [1] }], ([x], [out]) => {
      order.push(by);
      floats(out!, 1)[0] = floats(x!.pointer, 1)[0]! * by;
    })[0]!;
  let x = g.input("x", "float32", [1]);
  for (const by of [2, 3, 5, 7]) x = node(x, by);
  g.output("y", x, "float32", [1]);
  using session = new Session(ort, device, g.encode(), { customOps: ops, threads: 1 });
  deepEqual(run(session, { x: [[1], [1]] }, { y: ["float32", [1]] }), { y: [210] });
  deepEqual(order, [2, 3, 5, 7]);
});

Deno.test("constants are revealed once, when the session is made, cast ones too", () => {
  using ops = new CustomOps(ort, device);
  const g = new Graph("revealed");
  const x = g.input("x", "float32", [2]);
  const weight = g.constant("float32", [2, 2], Float32Array.of(1, 2, 3, 4));
  const half = g.cast(
    g.constant("float16", [2], new Uint16Array(new Float16Array([5, 6]).buffer)),
    "float16",
    "float32",
  );
  let revealed: Argument[] = [];
  let times = 0;
  const done = ops.reveal(g, [weight, half], (inputs) => {
    times++;
    revealed = [...inputs];
  });
  g.output("y", g.op("Add", [g.op("MatMul", [x, weight]), half]), "float32", [2]);
  g.output("revealed", done, "float32", [1]);
  using session = new Session(ort, device, g.encode(), { customOps: ops, threads: 1 });
  equal(times, 1);
  deepEqual(revealed.map(({ shape }) => shape), [[2, 2], [2]]);
  const read = () => [[...floats(revealed[0]!.pointer, 4)], [...floats(revealed[1]!.pointer, 2)]];
  deepEqual(read(), [[1, 2, 3, 4], [5, 6]]);
  // Its output need not be bound; and the constants stay where they are.
  deepEqual(run(session, { x: [[2], [1, 1]] }, { y: ["float32", [2]] }), { y: [9, 12] });
  deepEqual(read(), [[1, 2, 3, 4], [5, 6]]);
  equal(times, 1);
});

Deno.test("what is thrown when a session is created is passed on unchanged", () => {
  using ops = new CustomOps(ort, device);
  const g = new Graph("input");
  g.output("y", ops.reveal(g, [g.input("x", "float32", [1])], () => {}), "float32", [1]);
  throws(
    () => new Session(ort, device, g.encode(), { customOps: ops }),
    { name: "TypeError", message: "Cannot reveal input 0: it is no constant" },
  );

  using revealing = new CustomOps(ort, device);
  const refused = new InputError("Cannot use it: it is too large");
  const h = new Graph("refused");
  const weight = h.constant("float32", [1], Float32Array.of(1));
  const seen = revealing.reveal(h, [weight], () => {
    throw refused;
  });
  h.output("y", seen, "float32", [1]);
  throws(() => new Session(ort, device, h.encode(), { customOps: revealing }), (error) => error === refused);
});

Deno.test("what a callback throws is passed on unchanged, and the session goes on", () => {
  using ops = new CustomOps(ort, device);
  const g = new Graph("throws");
  const thrown: unknown[] = [];
  const [y] = ops.call(g, [g.input("x", "float32", [1])], [{ dtype: "float32", shape: [1] }], ([x], [out]) => {
    const value = floats(x!.pointer, 1)[0]!;
    if (value < 0) {
      thrown.push(value === -1 ? undefined : new InputError(`Cannot take the root of ${value}`));
      throw thrown.at(-1);
    }
    floats(out!, 1)[0] = Math.sqrt(value);
  }) as [Tensor];
  g.output("y", g.op("Neg", [y]), "float32", [1]);
  using session = new Session(ort, device, g.encode(), { customOps: ops, threads: 1 });
  const root = (x: number, shape = [1]) => run(session, { x: [shape, [x]] }, { y: ["float32", [1]] }).y;
  deepEqual(root(9), [-3]);
  for (const value of [-4, -1, -9]) throws(() => root(value), (error) => error === thrown.at(-1));
  equal(thrown.length, 3);
  deepEqual(root(16), [-4]);
  // It is not reported as the reason of a later failure.
  throws(() => root(4, [1, 1]), (error) => error instanceof OrtError && /rank/.test(error.message));
});

Deno.test("an output larger than what it is bound to is an error, not a write beyond it", () => {
  using ops = new CustomOps(ort, device);
  const g = new Graph("bound");
  const [y] = ops.call(g, [g.input("x", "float32", [1])], [{ dtype: "float32", shape: [4] }], () => {}) as [Tensor];
  g.output("y", y, "float32", ["n"]);
  using session = new Session(ort, device, g.encode(), { customOps: ops, threads: 1 });
  throws(() => run(session, { x: [[1], [1]] }, { y: ["float32", [2]] }), OrtError);
});

Deno.test("one set of operators serves several sessions; a session without them refuses the graph", () => {
  using ops = new CustomOps(ort, device);
  const graph = (by: number) => {
    const g = new Graph(`times_${by}`);
    const [y] = ops.call(g, [g.input("x", "float32", [1])], [{ dtype: "float32", shape: [1] }], ([x], [out]) => {
      floats(out!, 1)[0] = by * floats(x!.pointer, 1)[0]!;
    }) as [Tensor];
    g.output("y", y, "float32", [1]);
    return g.encode();
  };
  const graphs = [graph(2), graph(3)];
  for (const [i, bytes] of graphs.entries()) {
    using session = new Session(ort, device, bytes, { customOps: ops, threads: 1 });
    deepEqual(run(session, { x: [[1], [7]] }, { y: ["float32", [1]] }), { y: [7 * (i + 2)] });
  }
  throws(() => new Session(ort, device, graphs[0]!), OrtError);
  // A session has been told which operators there are.
  const g = new Graph("late");
  const x = g.input("x", "float32", [1]);
  throws(
    () => ops.call(g, [x], [{ dtype: "int64", shape: [1] }], () => {}),
    /Cannot add operators: a session has taken/,
  );
});
