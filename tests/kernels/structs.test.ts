/** Where structs.ts writes each field against where the CUDA source has it: every field has a value of its own. */
import { deepEqual, equal, throws } from "node:assert/strict";
import {
  attendBytes,
  chooseBytes,
  dropBytes,
  embedBytes,
  headsBytes,
  linearBytes,
  type LinearProduct,
  type LinearSegment,
} from "../../lib/kernels/structs.ts";
import { argmaxBytes, rowsAttendBytes, rowsLinearBytes } from "../../lib/kernels/row_structs.ts";
import { StructBytes } from "../../lib/kernels/struct_bytes.ts";
import { definition, enumeration, readStruct, structure } from "./_source.ts";

const pointer = (address: number) => Deno.UnsafePointer.create(BigInt(address));

Deno.test("linearBytes() writes what the kernels read", () => {
  const product = (n: number): LinearProduct => ({
    weight: pointer(n),
    input: pointer(n + 1),
    bias: pointer(n + 2),
    width: n + 3,
  });
  const segment = (n: number): LinearSegment => ({
    rows: n,
    products: [product(n + 10), product(n + 20)],
    combine: "gated",
    activation: "silu",
    norm: { kind: "rms", scale: pointer(n + 30), shift: pointer(n + 31), eps: n + 0.5, plusOne: true },
    residual: pointer(n + 32),
    out: pointer(n + 33),
    float32: true,
  });
  const combine = enumeration("Combine"), activation = enumeration("Activation"), norm = enumeration("Norm");
  const expected = (i: number, n: number, first: number) =>
    Object.fromEntries(
      Object.entries({
        "product[0].weight": n + 10,
        "product[0].input": n + 11,
        "product[0].bias": n + 12,
        "product[0].width": n + 13,
        "product[1].weight": n + 20,
        "product[1].input": n + 21,
        "product[1].bias": n + 22,
        "product[1].width": n + 23,
        scale: n + 30,
        shift: n + 31,
        residual: n + 32,
        out: n + 33,
        rows: n,
        first_block: first,
        combine: combine.indexOf("gated"),
        activation: activation.indexOf("silu"),
        norm: norm.indexOf("rms"),
        plus_one: 1,
        out_float: 1,
        eps: n + 0.5,
      }).map(([name, value]) => [`segment[${i}].${name}`, value]),
    );
  const bytes = linearBytes([segment(100), segment(200), segment(300), segment(400)], [0, 7, 8, 9]);
  equal(bytes.length, structure("Linear").size);
  deepEqual(readStruct("Linear", bytes), {
    ...expected(0, 100, 0),
    ...expected(1, 200, 7),
    ...expected(2, 300, 8),
    ...expected(3, 400, 9),
    count: 4,
  });
  throws(() => linearBytes(Array(5).fill(segment(1)), [0, 1, 2, 3, 4]), /Cannot launch 5 segments: 4 at most/);
});

Deno.test("linearBytes() numbers what can be left out, and each choice, as the kernels do", () => {
  const product: LinearProduct = { weight: null, input: null, width: 8 };
  const only = (more: Partial<LinearSegment>) =>
    readStruct("Linear", linearBytes([{ rows: 1, products: [product], out: null, ...more }], [0]));
  const bare = only({});
  deepEqual([bare.count, bare["segment[0].rows"], bare["segment[0].product[0].width"]], [1, 1, 8]);
  equal(Object.values(bare).reduce((a, b) => a + b), 1 + 1 + 8);
  const flags = {
    out_float: only({ float32: true }),
  };
  for (const [name, fields] of Object.entries(flags)) deepEqual(fields, { ...bare, [`segment[0].${name}`]: 1 });
  for (const name of ["gelu", "gelu_tanh", "relu", "silu"] as const) {
    equal(only({ activation: name })["segment[0].activation"], enumeration("Activation").indexOf(name));
  }
  for (const name of ["sum", "gated"] as const) {
    equal(only({ combine: name })["segment[0].combine"], enumeration("Combine").indexOf(name));
  }
  for (const kind of ["layer", "rms"] as const) {
    equal(only({ norm: { kind, eps: 1, plusOne: false } })["segment[0].norm"], enumeration("Norm").indexOf(kind));
  }
});

Deno.test("attendBytes() writes what the kernels read", () => {
  const bytes = attendBytes({
    query: { pointer: pointer(1), stride: 101 },
    key: { pointer: pointer(2), stride: 102 },
    value: { pointer: pointer(3), stride: 103 },
    queryScale: pointer(4),
    keyScale: pointer(5),
    plusOne: true,
    eps: 0.25,
    keys: pointer(6),
    values: pointer(7),
    cosine: pointer(8),
    sine: pointer(9),
    rotaryDim: 104,
    position: pointer(10),
    ranks: pointer(11),
    past: pointer(12),
    observed: pointer(13),
    out: pointer(14),
    heads: 105,
    kvHeads: 106,
    headDim: 107,
    capacity: 108,
    scale: 0.5,
    chunk: 109,
    queries: 110,
    partial: pointer(15),
    scores: pointer(16),
    counters: pointer(17),
  });
  equal(bytes.length, structure("Attend").size);
  deepEqual(readStruct("Attend", bytes), {
    query: 1,
    key: 2,
    value: 3,
    query_stride: 101,
    key_stride: 102,
    value_stride: 103,
    query_scale: 4,
    key_scale: 5,
    keys: 6,
    values: 7,
    cosine: 8,
    sine: 9,
    position: 10,
    ranks: 11,
    past: 12,
    partial: 15,
    scores: 16,
    observed: 13,
    counters: 17,
    out: 14,
    heads: 105,
    kv_heads: 106,
    head_dim: 107,
    capacity: 108,
    rotary_dim: 104,
    plus_one: 1,
    chunk: 109,
    queries: 110,
    scale: 0.5,
    eps: 0.25,
  });
});

Deno.test("embedBytes() and chooseBytes() write what the kernels read", () => {
  const embed = embedBytes({
    id: pointer(1),
    position: pointer(2),
    table: pointer(3),
    learned: pointer(4),
    out: pointer(5),
    hidden: 6,
    offset: 7,
    scale: 8.5,
  });
  equal(embed.length, structure("Embed").size);
  deepEqual(readStruct("Embed", embed), {
    id: 1,
    position: 2,
    table: 3,
    learned: 4,
    out: 5,
    hidden: 6,
    offset: 7,
    scale: 8.5,
    unused: 0,
  });
  const choose = chooseBytes({
    logits: pointer(1),
    target: pointer(2),
    partial: pointer(3),
    counter: pointer(4),
    nll: pointer(5),
    argmax: pointer(6),
    vocab: 7,
  });
  equal(choose.length, structure("Choose").size);
  deepEqual(readStruct("Choose", choose), {
    logits: 1,
    target: 2,
    partial: 3,
    counter: 4,
    nll: 5,
    argmax: 6,
    vocab: 7,
  });
});

Deno.test("dropBytes() writes what the kernels read", () => {
  const most = definition("MAX_INSTRUCTIONS");
  const instructions = Array.from({ length: most }, (_, i) => ({ op: 200 + i, number: i + 0.5 }));
  const bytes = dropBytes({
    rows: 999, // the grid's
    layers: 100,
    kvHeads: 101,
    headDim: 102,
    width: 103,
    keys: pointer(1),
    values: pointer(2),
    starts: pointer(3),
    rank: pointer(4),
    keyNorm: pointer(5),
    textPosition: pointer(6),
    attention: pointer(7),
    observed: pointer(8),
    dropRanges: pointer(10),
    ringIndex: pointer(11),
    draw: pointer(12),
    textIndex: pointer(13),
    window: 104,
    shareLayer: true,
    program: { instructions, depth: 105, means: 106, reads: new Set() },
    sums: pointer(14),
  });
  equal(bytes.length, structure("Drop").size);
  deepEqual(readStruct("Drop", bytes), {
    keys: 1,
    values: 2,
    starts: 3,
    rank: 4,
    key_norm: 5,
    text_position: 6,
    attention: 7,
    observed: 8,
    drop_ranges: 10,
    ring_index: 11,
    draw: 12,
    text_index: 13,
    kv_heads: 101,
    head_dim: 102,
    width: 103,
    layers: 100,
    window: 104,
    share_layer: 1,
    count: most,
    depth: 105,
    means: 106,
    sums: 14,
    ...Object.fromEntries(instructions.flatMap(({ op, number }, i) => [
      [`program[${i}].op`, op],
      [`program[${i}].number`, number],
    ])),
  });
});

Deno.test("headsBytes() writes what the kernels read", () => {
  const part = (at: number) => ({
    rows: pointer(at),
    bias: pointer(at + 1),
    out: pointer(at + 2),
    tokenStride: at + 3,
    headStride: at + 4,
  });
  const bytes = headsBytes({
    query: part(10),
    key: part(20),
    value: part(30),
    cosine: pointer(1),
    sine: pointer(2),
    positions: pointer(3),
    tokens: 999, // the grid's
    heads: 100,
    kvHeads: 101,
    headDim: 102,
    rotaryDim: 103,
  });
  equal(bytes.length, structure("Heads").size);
  deepEqual(readStruct("Heads", bytes), {
    ...Object.fromEntries([10, 20, 30].flatMap((at, i) => [
      [`part[${i}].rows`, at],
      [`part[${i}].bias`, at + 1],
      [`part[${i}].out`, at + 2],
      [`part[${i}].token_stride`, at + 3],
      [`part[${i}].head_stride`, at + 4],
    ])),
    cosine: 1,
    sine: 2,
    positions: 3,
    heads: 100,
    kv_heads: 101,
    head_dim: 102,
    rotary_dim: 103,
  });
});

Deno.test("StructBytes aligns as C does, and refuses what does not fill the structure", () => {
  deepEqual(
    [...new StructBytes(24).ints(1).longs(2).floats(1).bytes()],
    [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 0],
  );
  throws(() => new StructBytes(16).longs(1).bytes(), /Cannot use a structure of 8 bytes: it has 16/);
  throws(() => new StructBytes(16).longs(1).skipTo(4), /Cannot go back from byte 8 to 4/);
});

Deno.test("the structures of several tokens are a token's, and what the others add", () => {
  const segment: LinearSegment = {
    rows: 3,
    products: [{ weight: pointer(1), input: pointer(2), width: 8 }],
    out: pointer(4),
  };
  const linear = readStruct("RowsLinear", rowsLinearBytes([segment], [0], 7));
  deepEqual([linear["linear.segment[0].rows"], linear["linear.count"], linear.tokens], [3, 1, 7]);
  const head = { pointer: pointer(1), stride: 2 };
  const attend = readStruct(
    "RowsAttend",
    rowsAttendBytes({
      ...{ query: head, key: head, value: head, plusOne: false, eps: 0, keys: null, values: null, rotaryDim: 0 },
      ...{
        position: null,
        past: pointer(9),
        out: null,
        heads: 6,
        kvHeads: 3,
        headDim: 8,
        capacity: 5,
        scale: 1,
        chunk: 4,
      },
      ...{ queries: 2, partial: null, scores: null, counters: null },
      tokenStrides: { query: 11, key: 12, value: 13 },
      tokens: 14,
    }),
  );
  deepEqual([attend["attend.past"], attend["attend.heads"], attend["attend.queries"]], [9, 6, 2]);
  deepEqual([attend.query_token, attend.key_token, attend.value_token, attend.tokens], [11, 12, 13, 14]);
  deepEqual(
    readStruct(
      "Argmax",
      argmaxBytes({ logits: pointer(1), partial: pointer(2), counters: pointer(3), argmax: pointer(4), vocab: 5 }),
    ),
    { logits: 1, partial: 2, counters: 3, argmax: 4, vocab: 5 },
  );
});
