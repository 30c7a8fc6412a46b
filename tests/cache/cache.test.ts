/** Eviction on the device compared with the plain one of reference.ts, over random schedules. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { firstDraw } from "../../lib/cache/random_graph.ts";
import { type PassGroup, tabulate } from "../../lib/cache/schedule.ts";
import type { AttentionUse, LayerState, Sizes } from "../../lib/policies/policy.ts";
import { attention, featuresOf, type Score } from "../../lib/policies/score.ts";
import { FedCache, type Shape } from "./_device.ts";
import { numbers } from "./_numbers.ts";
import { ATTENTION_UNIT, LARGEST_KEY, MOST_ATTENTION, scores } from "./_scores.ts";
import { float32, kept, range, ReferenceCache, uniform } from "../reference/cache.ts";

/** How many entries a layer keeps, as a test specifies it. */
type Style =
  | { readonly kind: "never" }
  | { readonly kind: "fixed"; readonly sizes: Sizes }
  | {
    readonly kind: "ratio";
    readonly after: number;
    readonly ratio: number;
    readonly sink: number;
    readonly recent: number;
  }
  | { readonly kind: "wild"; readonly seed: number };

const styles: fc.Arbitrary<Style> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: "never" } as const) },
  {
    weight: 5,
    arbitrary: fc.record({ sink: fc.nat(3), heavy: fc.nat(6), recent: fc.nat(4) })
      .filter((sizes) => kept(sizes) > 0).map((sizes) => ({ kind: "fixed", sizes } as const)),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("ratio" as const),
      after: fc.integer({ min: 2, max: 12 }),
      ratio: fc.double({ min: 0.1, max: 0.95, noNaN: true }),
      sink: fc.nat(2),
      recent: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wild" as const), seed: fc.nat() }) },
);

/** Sizes by a layer's style: never more than the entries held, at least one. */
function sizesOf(style: Style, entries: number, scored: boolean): Sizes | "all" {
  const split = (count: number, sink: number, recent: number): Sizes => {
    const first = Math.min(sink, count);
    const last = scored ? Math.min(recent, count - first) : count - first;
    return { sink: first, heavy: count - first - last, recent: last };
  };
  switch (style.kind) {
    case "never":
      return "all";
    case "fixed":
      return entries > kept(style.sizes) ? split(kept(style.sizes), style.sizes.sink, style.sizes.recent) : "all";
    case "ratio":
      return entries > style.after ? split(Math.ceil(style.ratio * entries), style.sink, style.recent) : "all";
    case "wild": {
      const next = numbers(style.seed + entries * 7919);
      if (entries < 20 && next() < 0.35) return "all";
      // One in, one out in more than half of the steps.
      const count = Math.max(1, next() < 0.5 ? entries - 1 : Math.ceil(next() * entries));
      return split(count, Math.floor(next() * 3), Math.floor(next() * 4));
    }
  }
}

interface Case {
  readonly shape: Shape;
  /** Query heads of each KV head. */
  readonly group: number;
  readonly styles: readonly Style[];
  readonly score: Score | undefined;
  readonly use: AttentionUse | undefined;
  readonly passes: readonly number[];
  readonly trace: boolean;
  /** Its numbers are small integers, which half floats represent exactly. */
  readonly dtype: "float32" | "float16";
  readonly seed: number;
}

const uses: fc.Arbitrary<AttentionUse | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant({ from: "all", accumulate: true } as const),
  fc.integer({ min: 1, max: 6 }).chain((window) =>
    fc.constantFrom({ from: "last", window } as const, { from: "last", window, share: "layer" } as const)
  ),
);

/** A whole prompt, one in chunks, or none; then steps, with several tokens at once in between. */
const schedules = fc.tuple(
  fc.oneof(
    fc.constant([]),
    fc.integer({ min: 2, max: 16 }).map((prompt) => [prompt]),
    fc.array(fc.integer({ min: 2, max: 9 }), { minLength: 2, maxLength: 4 }),
  ),
  fc.array(fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 3, max: 16 }) }, fc.integer({ min: -4, max: -2 })), {
    minLength: 1,
    maxLength: 4,
  }),
).map(([prompt, parts]) => [
  ...prompt,
  ...parts.flatMap((part) => part < 0 ? [-part] : new Array<number>(part).fill(1)),
]);

const cases: fc.Arbitrary<Case> = uses.chain((use) =>
  fc.record({
    shape: fc.record({
      layers: fc.integer({ min: 1, max: 4 }),
      kvHeads: fc.integer({ min: 1, max: 3 }),
      headDim: fc.integer({ min: 1, max: 4 }),
    }),
    group: fc.integer({ min: 1, max: 3 }),
    styles: fc.oneof(
      fc.array(styles, { minLength: 4, maxLength: 4 }),
      styles.map((style) => new Array<Style>(4).fill(style)),
    ),
    score: fc.oneof(
      { weight: 6, arbitrary: scores({ attention: use !== undefined, exact: true }) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
    use: fc.constant(use),
    passes: schedules,
    trace: fc.boolean(),
    dtype: fc.constantFrom("float32", "float16"),
    seed: fc.nat(1000),
  })
);

/** Joins adjacent equal passes into one group. */
const passGroups = (passes: readonly number[]): PassGroup[] => passes.map((tokens) => ({ tokens, times: 1 }));

/** Runs a case on the device and in the reference, and compares all of the state after every pass. */
function follow({ shape, group, styles, score, use, passes, trace, dtype, seed }: Case): void {
  const { layers, kvHeads, headDim } = shape;
  const keep = ({ layer, entries }: LayerState) => sizesOf(styles[layer]!, entries, score !== undefined);
  const reads = new Set(score ? featuresOf(score) : []);
  const attentionUse = reads.has("attention") ? use : undefined;
  const sequence = passGroups(passes);
  const table = tabulate({ method: "tested", params: {}, keep }, { layers }, [], [sequence]);
  using fed = new FedCache(shape, { stored: dtype, table, score, attentionUse, trace }, sequence, seed);
  const { cache, eviction: { acting } } = fed;
  const heads = kvHeads * group;
  const reference = new ReferenceCache({ layers, heads, kvHeads }, { keep, score, attention: use }, new Set(), float32);
  const next = numbers(seed);
  const integer = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  const scrambled = new Set<number>();
  let draw = firstDraw(seed, "drop"), compactDraw = firstDraw(seed, "compact"), copied = 0;

  for (const tokens of passes) {
    const first = reference.tokens;
    const block = (number: (token: number, i: number) => number) =>
      range(0, layers).map(() =>
        range(0, kvHeads * tokens * headDim).map((i) => number(Math.floor(i / headDim) % tokens, i % headDim))
      );
    const keys = block(() => integer(-LARGEST_KEY, LARGEST_KEY));
    // The first number identifies the entry.
    const values = block((token, i) => i === 0 ? first + token : integer(0, 9));
    for (const layer of range(0, layers)) {
      for (const head of range(0, kvHeads)) {
        for (const token of range(0, tokens)) {
          const at = (head * tokens + token) * headDim;
          const vector = (all: readonly number[]) => all.slice(at, at + headDim);
          reference.append(layer, head, first + token, vector(keys[layer]!), vector(values[layer]!));
        }
      }
    }
    reference.tokens += tokens;
    const readers = use?.from === "last" && use.share === "layer" ? heads : group;
    const observed = attentionUse && acting.map((layer) => {
      const entries = reference.rows[layer]![0]!.length;
      const past = entries - tokens;
      // Multiples of 1/64, and so are means over that many readers.
      const weights = range(0, tokens).map((query) =>
        range(0, heads).map(() =>
          range(0, entries).map((i) =>
            i > past + query ? 0 : readers * ATTENTION_UNIT * integer(0, MOST_ATTENTION / ATTENTION_UNIT)
          )
        )
      );
      weights.forEach((ofQuery, query) => reference.observe(layer, first + query, ofQuery));
      const width = cache.capacity(layer, tokens);
      return range(0, kvHeads).flatMap((head) => {
        const slotOf = new Map(
          [...fed.ranksBefore(tokens, acting.indexOf(layer) * kvHeads + head)].map((r, s) => [r, s]),
        );
        const bySlot = weights.map((ofQuery) => {
          const seen = readers === heads ? ofQuery : ofQuery.slice(head * group, (head + 1) * group);
          const line = new Float64Array(width);
          for (const rank of range(0, entries)) {
            line[slotOf.get(rank)!] = seen.reduce((sum, weight) => sum + weight[rank]!, 0) / readers;
          }
          return line;
        });
        if (attentionUse.from === "last") return bySlot.slice(-attentionUse.window).flatMap((line) => [...line]);
        return range(0, width).map((slot) => bySlot.reduce((sum, line) => sum + line[slot]!, 0));
      });
    });
    const staged = range(0, layers).map((layer) => cache.capacity(layer, tokens) > cache.capacity(layer, 1));
    fed.pass(tokens, { keys, values, ...(observed ? { observed } : {}) });

    // What the reference keeps. Adjacent layers that keep the same of the same number of entries share a draw.
    let open: { readonly key: string; readonly at: number } | undefined;
    for (const layer of range(0, layers)) {
      const sizes = reference.sizes(layer);
      const entries = reference.rows[layer]![0]!.length;
      const at = acting.indexOf(layer);
      const drops = sizes !== "all" && tokens === 1 && entries - kept(sizes) === 1;
      if (!drops) {
        const again = sizes === "all" && tokens > 1 && at >= 0 && reads.has("key_norm"); // norms of all, in place
        if (sizes === "all" && !again) continue;
        const done = sizes === "all" ? { sink: entries, heavy: 0, recent: 0 } : sizes;
        copied += kvHeads * kept(done);
        const key = [entries, done.sink, done.heavy, done.recent, scrambled.has(layer), staged[layer]].join();
        if (open?.key === key && open.at === at - 1) compactDraw--; // the same as the layer before
        open = { key, at };
        scrambled.delete(layer);
      } else {
        copied += kvHeads;
        scrambled.add(layer);
      }
      if (sizes !== "all") {
        for (const head of range(0, kvHeads)) {
          const number = drops ? draw : compactDraw;
          const ranks = reference.choose(layer, head, sizes, (rank) => uniform(number, at * kvHeads + head, rank));
          reference.keep(layer, head, ranks);
        }
      }
      if (!drops) compactDraw++;
    }
    draw++;
    equal(cache.copied, copied, "entries copied");
    compareAll(fed, reference, attentionUse, trace, reads.has("key_norm"));
  }
}

function compareAll(
  fed: FedCache,
  reference: ReferenceCache,
  use: AttentionUse | undefined,
  trace: boolean,
  norms: boolean,
): void {
  const { cache, shape: { headDim }, eviction: { acting } } = fed;
  deepEqual(cache.held, reference.rows.map(([entries]) => entries!.length));
  if (trace) {
    deepEqual(
      cache.heldPositions().map((heads) => heads.map((held) => [...held])),
      reference.rows.map((heads, layer) =>
        acting.includes(layer) ? heads.map((entries) => entries.map(({ index }) => index)) : []
      ),
    );
  }
  if (acting.length === 0) return;
  reference.rows.forEach((heads, layer) =>
    heads.forEach((entries, head) => {
      const at = `after ${reference.tokens} tokens, layer ${layer}, head ${head}: `;
      const row = fed.row(layer, head);
      // Ranks are places, each used once; an empty slot has its own number.
      deepEqual(row.rank.slice(0, entries.length).sort(), Float32Array.from(entries.keys()), at + "ranks");
      row.rank.subarray(entries.length).forEach((rank, i) =>
        equal(rank, entries.length + i, at + "ranks of free slots")
      );
      const slots = [...entries.keys()].map((rank) => row.rank.indexOf(rank));
      const vectors = (all: Float32Array) =>
        slots.map((slot) => [...all.subarray(slot * headDim, (slot + 1) * headDim)]);
      deepEqual(vectors(row.values), entries.map(({ value }) => [...Array.from(value)]), at + "values");
      deepEqual(vectors(row.keys), entries.map(({ key }) => [...Array.from(key)]), at + "keys");
      if (!acting.includes(layer)) return;
      if (trace) {
        deepEqual(
          slots.map((slot) => row.text_position![slot]),
          entries.map(({ index }) => index),
          at + "text_positions",
        );
      }
      if (norms) {
        const expected = entries.map(({ key }) =>
          Math.fround(Math.sqrt(Array.from(key).reduce((sum, x) => sum + x * x, 0)))
        );
        deepEqual(slots.map((slot) => row.key_norm![slot]), expected, at + "norms");
      }
      if (use?.from === "all") {
        deepEqual(
          slots.map((slot) => row.attention![0]![slot]),
          entries.map((e) => reference.paid(e)),
          at + "attention",
        );
      } else if (use) {
        for (const query of range(Math.max(0, reference.tokens - use.window), reference.tokens)) {
          const line: Float32Array = row.attention![query % use.window]!;
          deepEqual(
            slots.map((slot) => line[slot]),
            entries.map(({ seen }) => seen.get(query) ?? 0),
            `${at}attention of query ${query}`,
          );
        }
      }
    })
  );
}

Deno.test("the cache holds what a plain one does, entry by entry, over random schedules", () => {
  fc.assert(fc.property(cases, follow), { numRuns: 120 });
});

/** One layer, one head, and the attention of the last few queries. */
const small: Case = {
  shape: { layers: 1, kvHeads: 1, headDim: 1 },
  group: 1,
  styles: [{ kind: "fixed", sizes: { sink: 0, heavy: 0, recent: 3 } }],
  score: attention,
  use: { from: "last", window: 4 },
  passes: [2, 1, 1, 1, 2, 1, 1],
  trace: true,
  dtype: "float32",
  seed: 0,
};

Deno.test("several tokens that come where an entry has left know nothing of what that was paid", () => follow(small));

Deno.test("the same sizes are another eviction once slots are out of text order", () =>
  follow({ ...small, passes: [1, 1, 1, 2, 1, 2, 1, 1, 2, 2] }));

Deno.test("a prompt has memory of its own while it is whole, one in chunks takes what is kept and a chunk", () => {
  const keep = ({ entries }: LayerState) => entries > 2 ? { sink: 0, heavy: 0, recent: 2 } : "all";
  const slots = (passes: readonly number[]) => {
    const sequence = passGroups(passes);
    const table = tabulate({ method: "tested", params: {}, keep }, { layers: 1 }, [], [sequence]);
    using fed = new FedCache(small.shape, { stored: "float32", table }, sequence, 0);
    return [fed.cache.capacity(0, passes[0]!), fed.cache.capacity(0, 1)];
  };
  deepEqual(slots([8, 1, 1]), [8, 3]);
  deepEqual(slots([3, 1, 1]), [3, 3]);
  deepEqual(slots([4, 4, 4, 1, 1]), [6, 6]);
  deepEqual(slots([8, 1, 3, 1]), [8, 8]); // the chunk is larger than the entries of any later pass
});

Deno.test("what is held is told by a trace only", () => {
  const table = { layers: [[[3, 0, 0, 2]]] } as const;
  using fed = new FedCache(small.shape, { stored: "float32", table }, passGroups([1, 1, 1]), 0);
  throws(() => fed.cache.heldPositions(), {
    name: "TypeError",
    message: "Cannot say what is held: the eviction was made without trace",
  });
});
