/**
 * The kernels of several tokens against those of one: the CUDA source itself, compiled for the CPU. Each token's results
 * must have the bits of a step's; and the float32 ones are compared with plain loops, whose sums are in float64.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { CudaRowKernels, MOST_TOKENS } from "../../lib/kernels/row_kernels.ts";
import { CudaStepKernels } from "../../lib/kernels/step_kernels.ts";
import type { StepKernels } from "../../lib/kernels/kernels.ts";
import type { LinearSegment } from "../../lib/kernels/structs.ts";
import { ReferenceKernels } from "../reference/step.ts";
import { Arrays, type Stored } from "./_arrays.ts";
import { CpuLauncher, hasCompiler } from "./_cpu_launcher.ts";

const ignore = !hasCompiler;
const TYPES = ["float16", "bfloat16", "float32"] as const;
type Change = (text: string, file: string) => string;

/** A step's kernels and those of several tokens, on the CPU. */
class Both implements Disposable {
  readonly step: CudaStepKernels;
  readonly rows: CudaRowKernels;

  constructor(readonly arrays: Arrays, change?: Change, aWarp?: number) {
    const { device, dtype } = arrays;
    this.step = new CudaStepKernels(device, dtype, new CpuLauncher(dtype));
    this.rows = new CudaRowKernels(device, dtype, new CpuLauncher(dtype, change), aWarp);
  }

  [Symbol.dispose](): void {
    this.step[Symbol.dispose]();
    this.rows[Symbol.dispose]();
  }
}

const dtype = fc.constantFrom(...TYPES), seed = fc.nat({ max: 1e6 }), tokens = fc.integer({ min: 1, max: MOST_TOKENS });
const runs = (numRuns: number) => ({ numRuns, seed: 13, endOnFailure: false });

// ---- Products -------------------------------------------------------------------------------------------------------

const linear = fc.record({
  dtype,
  seed,
  tokens,
  /** Of the first matrix; the second has others. */
  rows: fc.integer({ min: 1, max: 70 }),
  /** In loads of the largest type. */
  widths: fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 })),
  combine: fc.constantFrom(undefined, "sum" as const, "gated" as const),
  activation: fc.constantFrom(undefined, "gelu" as const, "gelu_tanh" as const, "relu" as const, "silu" as const),
  norm: fc.constantFrom(undefined, "layer" as const, "rms" as const),
  scaled: fc.boolean(),
  residual: fc.boolean(),
  biased: fc.boolean(),
  float32: fc.boolean(),
  transposed: fc.boolean(),
  /** Rows that a warp computes. */
  aWarp: fc.constantFrom(2, 4, 5),
});
type LinearCase = typeof linear extends fc.Arbitrary<infer C> ? C : never;

/** Results of both, in bytes and as numbers. */
function products(c: LinearCase, change?: Change, reference?: StepKernels) {
  using arrays = new Arrays(c.dtype, c.seed);
  using both = new Both(arrays, change, c.aWarp);
  const step = reference ?? both.step;
  const { tokens, transposed } = c, [wide, other] = c.widths.map((loads) => 8 * loads) as [number, number];
  // Rows of a transposed matrix are read in whole loads.
  const rowsOf = (rows: number) => transposed ? Math.ceil(rows / 8) * 8 : rows;
  const input = arrays.random(tokens * wide, 2), second = arrays.random(tokens * other);
  const norm = c.norm && {
    kind: c.norm,
    scale: c.scaled ? arrays.random(wide).pointer : undefined,
    shift: c.scaled && c.norm === "layer" ? arrays.random(wide).pointer : undefined,
    eps: 1e-5,
    plusOne: c.norm === "rms",
  };
  const parts = [c.rows, 9].map(rowsOf).map((rows, i) => {
    const both = i === 0 && c.combine;
    const width = both === "sum" ? other : wide;
    const weights = [arrays.random(rows * wide, 0.3), arrays.random(rows * width, 0.3)] as const;
    const biases = c.biased ? [arrays.random(rows), arrays.random(rows)] as const : undefined;
    const residual = c.residual ? arrays.random(tokens * rows) : undefined;
    const type = c.float32 ? "float32" : c.dtype;
    const out = [arrays.empty(tokens * rows, type, true), arrays.empty(tokens * rows, type, true)] as const;
    /** The segment from token `t` on, with the result in `out[which]`. */
    const segment = (t: number, which: 0 | 1): LinearSegment => ({
      rows,
      products: both
        ? [
          {
            weight: weights[0].pointer,
            input: arrays.at(input, t * wide),
            bias: biases?.[0].pointer,
            width: wide,
            transposed,
          },
          {
            weight: weights[1].pointer,
            input: both === "sum" ? arrays.at(second, t * other) : arrays.at(input, t * wide),
            bias: biases?.[1].pointer,
            width,
            transposed,
          },
        ]
        : [{
          weight: weights[0].pointer,
          input: arrays.at(input, t * wide),
          bias: biases?.[0].pointer,
          width: wide,
          transposed,
        }],
      combine: both || undefined,
      activation: i === 0 ? c.activation : undefined,
      norm,
      residual: residual && arrays.at(residual, t * rows),
      out: Deno.UnsafePointer.offset(out[which].pointer, t * rows * (type === "float32" ? 4 : 2)) as Deno.PointerObject,
      float32: c.float32,
    });
    return { segment, out };
  });
  for (let t = 0; t < tokens; t++) step.linear(parts.map(({ segment }) => segment(t, 0)));
  both.rows.linear(tokens, parts.map(({ segment }) => segment(0, 1)));
  return parts.map(({ out: [step, rows] }) => ({ step: step.bytes(), rows: rows.bytes() }));
}

Deno.test({
  name: "products with several tokens' vectors have the bits of products with one",
  ignore,
  fn() {
    fc.assert(
      fc.property(linear, (c) => {
        // Loads of the wider types have fewer elements: widths fit all.
        products(c).forEach(({ step, rows }, i) => deepEqual(rows, step, `segment ${i}`));
      }),
      runs(40),
    );
  },
});

// ---- Attention ------------------------------------------------------------------------------------------------------

const attention = fc.record({
  dtype,
  seed,
  tokens,
  headDim: fc.constantFrom(64, 80, 96, 128, 256),
  kvHeads: fc.integer({ min: 1, max: 2 }),
  group: fc.constantFrom(1, 2, 3, 4),
  /** Entries before, by the edge of a chunk of 128 that they are near. */
  past: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -MOST_TOKENS, max: 2 })),
  rotary: fc.constantFrom(0, 16, 64),
  ranked: fc.boolean(),
  normed: fc.boolean(),
});
type AttentionCase = typeof attention extends fc.Arbitrary<infer C> ? C : never;

/** What both write: results, keys and values. */
function attended(c: AttentionCase, change?: Change, reference?: StepKernels) {
  using arrays = new Arrays(c.dtype, c.seed);
  using both = new Both(arrays, change);
  const step = reference ?? both.step;
  const { tokens, headDim, kvHeads, group, rotary } = c, heads = kvHeads * group;
  const past = Math.max(0, 128 * c.past[0] + c.past[1]), capacity = past + tokens + 5;
  const [queries, keys, values] = [heads, kvHeads, kvHeads].map((heads) =>
    arrays.random(tokens * heads * headDim, 2)
  ) as [
    Stored,
    Stored,
    Stored,
  ];
  const table = () => arrays.random((capacity + 1) * Math.max(1, rotary) / 2, 1, "float32").pointer;
  const tables = rotary > 0 ? { cosine: table(), sine: table() } : {};
  const ranks = c.ranked && rotary > 0
    ? arrays.of(Array.from({ length: kvHeads * capacity }, (_, i) => i % capacity), "float32").pointer
    : undefined;
  const norms = c.normed
    ? { queryScale: arrays.random(headDim).pointer, keyScale: arrays.random(headDim).pointer }
    : {};
  const cached = [arrays.random(kvHeads * past * headDim, 2), arrays.random(kvHeads * past * headDim, 2)].map((x) =>
    x.numbers()
  );
  /** A cache with the entries before, and nothing after them. */
  const cache = () =>
    cached.map((entries) =>
      arrays.of(
        Array.from({ length: kvHeads * capacity * headDim }, (_, i) => {
          const kv = Math.floor(i / capacity / headDim), at = i % (capacity * headDim);
          return at < past * headDim ? entries[kv * past * headDim + at]! : 0;
        }),
      )
    ) as [Stored, Stored];
  const at = (t: number) => arrays.of([past + t], "int64").pointer;
  const call = (t: number, [keyCache, valueCache]: readonly [Stored, Stored], out: Deno.PointerObject) => ({
    query: { pointer: arrays.at(queries, t * heads * headDim), stride: headDim },
    key: { pointer: arrays.at(keys, t * kvHeads * headDim), stride: headDim },
    value: { pointer: arrays.at(values, t * kvHeads * headDim), stride: headDim },
    ...norms,
    ...tables,
    ranks,
    plusOne: false,
    eps: 1e-5,
    keys: keyCache.pointer,
    values: valueCache.pointer,
    rotaryDim: rotary,
    position: at(t),
    past: at(t),
    out,
    ...{ heads, kvHeads, headDim, capacity, scale: headDim ** -0.5 },
  });
  const outs = [
    arrays.empty(tokens * heads * headDim, c.dtype, true),
    arrays.empty(tokens * heads * headDim, c.dtype, true),
  ];
  const caches = [cache(), cache()] as const;
  for (let t = 0; t < tokens; t++) step.attend(call(t, caches[0], arrays.at(outs[0]!, t * heads * headDim)));
  const strides = { query: heads * headDim, key: kvHeads * headDim, value: kvHeads * headDim };
  both.rows.attend(tokens, { ...call(0, caches[1], outs[1]!.pointer), tokenStrides: strides });
  const all = (which: 0 | 1) => [outs[which]!, ...caches[which]].map((array) => array.bytes());
  return { step: all(0), rows: all(1) };
}

Deno.test({
  name: "attention of several tokens has the bits of steps, at every edge of a chunk, and appends the same entries",
  ignore,
  fn() {
    fc.assert(
      fc.property(attention, (c) => {
        const { step, rows } = attended(c);
        ["results", "keys", "values"].forEach((what, i) => deepEqual(rows[i], step[i], what));
      }),
      runs(30),
    );
  },
});

// ---- Beginning and end ----------------------------------------------------------------------------------------------

Deno.test({
  name: "embeddings and argmaxes of several tokens are those of steps, ties and numbers that are none included",
  ignore,
  fn() {
    for (const dtype of TYPES) {
      using arrays = new Arrays(dtype, 3);
      using both = new Both(arrays);
      const hidden = 264, vocab = 1000, tokens = 5;
      const ids = [999, 0, 3, 3, 17], id = arrays.of(ids, "int64"), position = arrays.of([4], "int64");
      const table = arrays.random(vocab * hidden), learned = arrays.random(20 * hidden);
      const embedded = [arrays.empty(tokens * hidden), arrays.empty(tokens * hidden)] as const;
      const embedding = { table: table.pointer, learned: learned.pointer, hidden, offset: 2, scale: 1.5 };
      both.rows.embed(tokens, { ...embedding, id: id.pointer, position: position.pointer, out: embedded[1].pointer });

      const lines = [arrays.random(vocab, 1, "float32").numbers(), new Array<number>(vocab).fill(0.5)];
      lines.push(new Array<number>(vocab).fill(NaN), lines[0]!.map((x, i) => i === 998 || i === 31 ? 7 : x));
      lines.push(lines[0]!.map((x, i) => i % 2 ? NaN : x));
      const logits = arrays.of(lines.flat(), "float32");
      const argmax = [arrays.empty(tokens, "int64", true), arrays.empty(tokens, "int64", true)] as const;
      for (let again = 0; again < 2; again++) {
        both.rows.argmax(tokens, { logits: logits.pointer, argmax: argmax[1].pointer, vocab });
      }
      ids.forEach((_, t) => {
        const by8 = (array: Stored) => Deno.UnsafePointer.offset(array.pointer, 8 * t) as Deno.PointerObject;
        both.step.embed({
          ...embedding,
          id: by8(id),
          position: arrays.of([4 + t], "int64").pointer,
          out: arrays.at(embedded[0], t * hidden),
        });
        both.step.choose({
          logits: Deno.UnsafePointer.offset(logits.pointer, 4 * t * vocab),
          target: arrays.of([0], "int64").pointer,
          nll: arrays.empty(1, "float32").pointer,
          argmax: by8(argmax[0]),
          vocab,
        });
      });
      deepEqual(embedded[1].bytes(), embedded[0].bytes(), dtype);
      deepEqual(argmax[1].numbers(), argmax[0].numbers(), dtype);
      deepEqual(argmax[1].numbers().slice(1, 4), [0, 999, 31]);
    }
  },
});

// ---- Whether the comparison can fail --------------------------------------------------------------------------------

const LINEAR: LinearCase = {
  ...{ dtype: "float16", seed: 5, tokens: 5, rows: 30, widths: [90, 40], combine: "sum", activation: "gelu" },
  ...{ norm: "layer", scaled: true, residual: true, biased: true, float32: false, transposed: false, aWarp: 5 },
};
const ATTENTION: AttentionCase = {
  ...{ dtype: "float16", seed: 5, tokens: 6, headDim: 80, kvHeads: 2, group: 2, past: [1, -3], rotary: 16 },
  ...{ ranked: false, normed: false },
};

/** Faults that leave results nearly right: [file, find, replace, the kernels they are in]. */
const FAULTS: readonly (readonly [string, string, string, "linear" | "attend"])[] = [
  ["rows_sums.cuh", "for (int d = LANES / 2; d; d /= 2) {", "for (int d = 1; d < LANES; d *= 2) {", "linear"],
  ["rows_attend.cuh", "if (e < own[g]) {", "if (e < here) {", "attend"],
  ["rows_attend.cuh", "if (past + 1 + token <= chunk) {", "if (past + tokens <= chunk) {", "attend"],
];

Deno.test({
  name: "a fault in the order of sums, or at the edge of a chunk, changes bits",
  ignore,
  fn() {
    deepEqual(products(LINEAR).map(({ rows }) => rows), products(LINEAR).map(({ step }) => step));
    deepEqual(attended(ATTENTION).rows, attended(ATTENTION).step);
    for (const [file, find, replace, kernels] of FAULTS) {
      const plant: Change = (text, name) => {
        if (name !== file) return text;
        equal(text.split(find).length, 2, `${file} has not one "${find}"`);
        return text.replace(find, replace);
      };
      if (kernels === "linear") {
        const found = products(LINEAR, plant);
        ok(found.some(({ step, rows }) => step.some((byte, i) => byte !== rows[i])), find);
      } else {
        const { step, rows } = attended(ATTENTION, plant);
        ok(step.some((bytes, i) => bytes.some((byte, j) => byte !== rows[i]![j])), find);
      }
    }
  },
});

// ---- Numbers --------------------------------------------------------------------------------------------------------

/** Largest difference, relative to the largest number. */
function off(found: readonly number[], exact: readonly number[]): number {
  const most = Math.max(...exact.map(Math.abs));
  return Math.max(...found.map((x, i) => Math.abs(x - exact[i]!))) / most;
}

Deno.test({
  name: "in float32, several tokens' products and attention are those of plain loops in float64",
  ignore,
  fn() {
    using reference = new ReferenceKernels();
    for (const transposed of [false, true]) {
      const { step, rows } = products({ ...LINEAR, dtype: "float32", transposed }, undefined, reference)[0]!;
      ok(off(floats(rows), floats(step)) < 1e-5);
    }
    for (
      const c of [ATTENTION, { ...ATTENTION, ranked: true, group: 3 as const }, {
        ...ATTENTION,
        normed: true,
        headDim: 128 as const,
      }]
    ) {
      const { step, rows } = attended({ ...c, dtype: "float32" }, undefined, reference);
      rows.forEach((bytes, i) => ok(off(floats(bytes), floats(step[i]!)) < 1e-5));
    }
  },
});

const floats = (bytes: Uint8Array<ArrayBuffer>) => Array.from(new Float32Array(bytes.buffer));
