/** How tokens are numbered and keys rotated: by the text, or by places in the cache. */
import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { tabulate } from "../../lib/cache/schedule.ts";
import { Rotary } from "../../lib/model/graph/rope/rotary.ts";
import { Graph } from "../../lib/onnx/graph.ts";
import { Session } from "../../lib/ort/session.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { goldenTokens } from "../parity/golden.ts";
import { runtime } from "./_device.ts";
import { embedded } from "./_embedded.ts";
import { fewTies, follow, stretchesOf } from "./_follow.ts";
import { numbers } from "./_numbers.ts";
import { lowestNorms } from "../reference/definitions.ts";
import { range } from "../reference/cache.ts";

Deno.test("keys rotated at reading are keys rotated afresh, each head by places of its own", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(4, 8, 20),
      fc.constantFrom(0.5, 1),
      fc.constantFrom(20, 2048),
      fc.constantFrom(undefined, { factor: 3, from: 12 }, { factor: 2, from: 4000 }),
      fc.nat(),
      (kvHeads, capacity, headDim, share, most, growing, seed) => {
        const next = numbers(seed);
        const dim = 2 * Math.floor(headDim * share / 2);
        const growth = dim > 2 ? growing : undefined;
        const rope = {
          dim,
          frequencies: range(0, dim / 2).map((i) => Math.fround(10000 ** (-2 * i / dim))),
          ...(growth ? { growth } : {}),
        };
        const spec = { kvHeads, headDim, rope } as unknown as ConstructorParameters<typeof Rotary>[1];
        const count = kvHeads * capacity * headDim;
        const keys = Float32Array.from({ length: count }, () => 4 * next() - 2);
        const places = range(0, kvHeads * capacity).map(() => Math.floor(next() * most));

        const g = new Graph("rotary", 24);
        const shape = [1, kvHeads, capacity, headDim];
        const [x, at] = [g.input("keys", "float32", shape), g.input("places", "int64", [kvHeads, capacity])];
        const rotary = new Rotary(g, spec, "float32", most);
        const inOrder = g.op("Slice", [at, g.ints(0), g.ints(1), g.ints(0)]);
        // The slot that is read last holds the newest entry, which defines the length of the text.
        const rotation = rotary.byPlace(inOrder, g.iota(most, [1, most], "int64"));
        g.output("read", rotation.cache(x, at), "float32", shape);
        // Written by heads of one token after another, as entries are written to the cache
        const tokens = g.reshape(g.op("Transpose", [x], { perm: [0, 2, 1, 3] }), 1, -1, kvHeads * headDim);
        const written = g.reshape(rotation.tokens(tokens, kvHeads), 1, capacity, kvHeads, headDim);
        g.output("written", g.op("Transpose", [written], { perm: [0, 2, 1, 3] }), "float32", shape);
        const { device, ort } = runtime();
        using made = new DisposableStack();
        using session = new Session(ort, device, g.encode(), { threads: 1 });
        const block = (data: ArrayBufferView<ArrayBuffer>) => {
          const memory = made.use(device.allocate(data.byteLength));
          device.write(memory, 0, data);
          return memory;
        };
        const out = [block(new Float32Array(count)), block(new Float32Array(count))] as const;
        session.runOnce({
          keys: ["float32", shape, block(keys), 0],
          places: ["int64", [kvHeads, capacity], block(BigInt64Array.from(places, BigInt)), 0],
        }, { read: ["float32", shape, out[0], 0], written: ["float32", shape, out[1], 0] });
        const [read, fresh] = out.map((memory) => {
          const numbers = new Float32Array(count);
          device.read(memory, 0, numbers);
          return numbers;
        }) as [Float32Array, Float32Array];

        const length = places[capacity - 1]! + 1;
        const slower = growth && length > growth.from
          ? 1 / (growth.factor * length / growth.from - growth.factor + 1)
          : 1;
        const slowed = (pair: number) => slower < 1 ? slower ** (2 * pair / (dim - 2)) : 1;
        // By the first head's places both give the same numbers.
        deepEqual(read.subarray(0, capacity * headDim), fresh.subarray(0, capacity * headDim));
        places.forEach((place, slot) => {
          const key = keys.subarray(slot * headDim, (slot + 1) * headDim);
          for (const i of range(0, headDim)) {
            const pair = i < dim / 2 ? i : i - dim / 2;
            const angle = Math.fround(place * Math.fround(rope.frequencies[pair]! * slowed(pair)));
            const expected = i >= dim
              ? key[i]!
              : i < dim / 2
              ? key[i]! * Math.cos(angle) - key[i + dim / 2]! * Math.sin(angle)
              : key[i]! * Math.cos(angle) + key[pair]! * Math.sin(angle);
            // Frequencies computed in the pass are one or two roundings off; the error of an angle is that times the
            // place.
            const limit = 1e-6 + (slower < 1 ? 4e-7 * place : 0);
            ok(Math.abs(read[slot * headDim + i]! - expected) < limit, `slot ${slot} at ${place}, number ${i}`);
          }
        });
      },
    ),
    { numRuns: 60 },
  );
});

/** NLL of each step of Moby Dick under a policy, with or without a prompt. */
function nllOf(
  policy: Policy,
  options: Partial<EngineOptions>,
  steps: number,
  prompt = 0,
  skip: number[] = [],
): number[] {
  const { model } = embedded;
  const sequence = stretchesOf([...(prompt ? [prompt] : []), ...new Array<number>(steps).fill(1)]);
  using engine = new Engine(runtime(), model, {
    dtype: "float32",
    attention: "explicit",
    maxPositions: prompt + steps,
    table: tabulate(policy, model.spec, skip, [sequence]),
    score: policy.score,
    attentionUse: policy.attention,
    ...options,
  });
  using run = engine.sequence(sequence, 0);
  let at = 0;
  return sequence.map(({ tokens }) => {
    run.forward(goldenTokens.slice(at, at += tokens), goldenTokens[at]!);
    run.evict();
    return run.read().nll;
  });
}

const farthest = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

Deno.test("positions in the cache are those of the text for as long as nothing is dropped", () => {
  const text = nllOf(methods.baseline(), { attention: "fused" }, 72);
  // The last steps drop entries: the layers use ranks from the first step on.
  const budget = methods.h2o_l2({ start_size: 2, heavy_hitter_size: 20, recent_size: 38 });
  for (const policy of [methods.baseline(), budget, methods.h2o({ heavy_size: 30, recent_size: 30 })]) {
    const nll = nllOf(policy, { positions: "cache" }, 72);
    const whole = policy.method === "baseline" ? 72 : 61;
    const off = farthest(nll.slice(0, whole), text);
    ok(off < 1e-4, `${policy.method}: off by ${off}`);
    ok(whole === 72 || farthest(nll, text) > 1e-3, "nothing was dropped");
    const [prompt, ...steps] = nllOf(policy, { positions: "cache" }, 20, 41);
    ok(farthest([prompt!, ...steps], text.slice(40)) < 1e-4, `${policy.method}, after a prompt`);
  }
});

Deno.test("the embedded model reads kept keys by their places in the cache, other ones in every head", () => {
  const { nearTies, choices } = follow({
    ...embedded,
    policy: methods.h2o_l2({ start_size: 2, heavy_hitter_size: 6, recent_size: 8 }),
    method: lowestNorms(2, 6, 8),
    ids: goldenTokens,
    passes: [20, ...new Array<number>(12).fill(1)],
    positions: "cache",
    skip: [0], // its norms are tied: see methods.test.ts
    logits: 1e-4,
  });
  fewTies(nearTies, choices, 0.001);
});

Deno.test("numbering by layer 0 is the text's if the first layer keeps everything, and differs if it does not", () => {
  const policy = methods.streaming_llm({ start_size: 2, recent_size: 14 });
  const skipped = nllOf(policy, { positions: "absolute" }, 40, 0, [0]);
  deepEqual(nllOf(policy, { positions: "seed" }, 40, 0, [0]), skipped);
  const [seed, absolute] = (["seed", "absolute"] as const).map((positions) => nllOf(policy, { positions }, 40));
  // The first token after a drop has the position of the token before it.
  deepEqual(seed!.slice(0, 17), absolute!.slice(0, 17));
  ok(Math.abs(seed![17]! - absolute![17]!) > 1e-3);
});
