/** Faults in the cache and its eviction. */
import { type Mutant, of, type Tests } from "./mutant.ts";

const CACHE: Tests = ["tests/cache/cache.test.ts"];
const SCORES: Tests = ["tests/cache/score_graph.test.ts"];
const ATTENTION: Tests = ["tests/cache/attention.test.ts"];
const METHODS: Tests = ["tests/cache/methods.test.ts", "random models"];
const RANDOM: Tests = ["tests/cache/random.test.ts"];
const KERNELS: Tests = ["tests/kernels/step.test.ts"];

/** All of them. */
export const CACHE_MUTANTS: readonly Mutant[] = [
  ...of("lib/cache/drop_graph.ts", CACHE, METHODS)(
    [
      "drops the highest score",
      `const lowest = g.op("ReduceMin", [g.op("Where", [inMiddle, scored, g.scalar(Infinity)])`,
      `const lowest = g.op("ReduceMax", [g.op("Where", [inMiddle, scored, g.scalar(-Infinity)])`,
    ],
    [
      "drops the first of equal scores",
      `const worst = g.op("ReduceMax", [g.op("Where", [isLowest, ranks, g.scalar(-1)]), g.ints(1)], { keepdims: 1 });`,
      `const worst = g.op("ReduceMin", [g.op("Where", [isLowest, ranks, g.scalar(1e6)]), g.ints(1)], { keepdims: 1 });`,
    ],
    ["the middle begins one late", `g.op("GreaterOrEqual", [ranks, sink])`, `g.op("Greater", [ranks, sink])`],
    ["the middle ends one late", `g.op("Less", [ranks, end])`, `g.op("LessOrEqual", [ranks, end])`],
    [
      "the entry after the dropped one keeps its rank",
      `g.op("Greater", [rank, dropped])`,
      `g.op("Greater", [rank, g.op("Add", [dropped, g.scalar(1)])])`,
    ],
    ["the newest keeps its rank", `g.op("Sub", [last, g.scalar(1)]), movedUp]`, `last, movedUp]`],
    ["the newest key's norm is stale", `all: g.op("Where", [isLast, newest, held])`, `all: held`],
    [
      "the norm does not move with its entry",
      `g.op("Where", [isFreed, newest, all]), "float32", perSlot);`,
      `all, "float32", perSlot);`,
    ],
    [
      "the value does not move with its key",
      `g.output("values'", g.op("ScatterND", [values, to, newestValue])`,
      `g.output("values'", g.op("ScatterND", [values, to, newestKey])`,
    ],
    [
      "rows are those of the next layer",
      "BigInt(Math.floor(row / kvHeads))",
      "BigInt(Math.floor(row / kvHeads + 1) % actingLayers)",
      METHODS,
    ],
  ),
  ...of("lib/cache/drop_attention.ts", CACHE, ATTENTION)(
    ["a reused slot keeps its former entry's sum", `g.op("Where", [isFresh, g.scalar(0), held])`, `held`],
    [
      "a reused slot keeps its former entry's queries",
      `g.op("Where", [isFresh, sum(now), sum(written)])`,
      `sum(written)`,
    ],
    ["the sum does not move with its entry", `g.op("Where", [isFreed, newest, paid])`, `paid`],
    ["queries are cleared in one slot only", "[cells(freed), cells(past)]", "[cells(freed), cells(freed)]"],
  ),
  ...of("lib/cache/decision.ts", CACHE, METHODS)(
    ["the window is one short", "end: entries - sizes.recent, past", "end: entries - sizes.recent + 1, past"],
    ["the window is one long", "end: entries - sizes.recent, past", "end: entries - sizes.recent - 1, past"],
    ["one sink more", "sink: sizes.sink, end", "sink: sizes.sink + 1, end"],
    [
      "two entries are dropped as one",
      "entries - left === 1 && tokens === 1",
      "entries - left <= 2 && tokens === 1",
      CACHE,
      ["tests/cache/schedule.test.ts"],
    ],
    [
      "the entries before a pass are those after it",
      "const past = before[layer]!;\n    const entries",
      "const past = before[layer]! + 1;\n    const entries",
    ],
  ),
  ...of("lib/cache/compact_graph.ts", CACHE, METHODS)(
    [
      "a prompt keeps the lowest scores",
      `g.ops("TopK", [scored, heavy], 2, { axis: 1, largest: 1, sorted: 1 })`,
      `g.ops("TopK", [scored, heavy], 2, { axis: 1, largest: 0, sorted: 1 })`,
    ],
    [
      "a prompt keeps the best in the order of scores",
      `return g.op("GatherElements", [middle, g.cast(inOrder, "float32", "int64")], { axis: 1 });`,
      `return g.op("GatherElements", [middle, best], { axis: 1 });`,
    ],
    [
      "a prompt's sinks are those after the first",
      "const parts = [cut(order, zero, sink)];",
      'const parts = [cut(order, one, g.op("Add", [sink, one]))];',
    ],
    [
      "attention stays behind when entries move",
      `toWidth(g.op("GatherElements", [attention!, kept], { axis: 1 })), "float32", outShape);`,
      `toWidth(g.op("Slice", [attention!, zero, count, one])), "float32", outShape);`,
    ],
    ["slots out of order are taken as if in order", "const order = scrambled\n", "const order = scrambled && false\n"],
  ),
  ...of("lib/cache/compactor.ts", CACHE, METHODS)(
    ["a prompt's window is one long", "end: onHost([entries - recent]),", "end: onHost([entries - recent - 1]),"],
    [
      "ranks stay out of order after a compaction",
      "this.state.resetRanks(row, row + kvHeads);",
      "this.state.scrambled.delete(layer);",
    ],
    ["sums are carried over a compaction", "    this.state.forgetSums();\n", "", KERNELS],
    [
      "compactions all draw the same",
      "BigInt64Array.of(BigInt(this.#draws++))",
      "BigInt64Array.of(BigInt(this.#draws))",
      RANDOM,
      CACHE,
    ],
    [
      "a row draws as the one before",
      "(_, i) => firstRow + i))",
      "(_, i) => firstRow + i - (i ? 1 : 0)))",
      RANDOM,
      CACHE,
    ],
  ),
  ...of("lib/cache/random_graph.ts", RANDOM)(
    ["all seeds draw the same", "2n * BigInt(seed)", "0n * BigInt(seed)"],
    ["steps and prompts draw the same", `(kind === "drop" ? 0n : 1n)`, "0n"],
    ["a round of the generator is left out", "  [1_583_458_089n, 1_234_567n],\n", "", RANDOM, METHODS],
  ),
  ...of("lib/cache/kv_cache.ts", CACHE, RANDOM)(
    ["every step draws the same", "return this.#draws++;", "return this.#draws;"],
    [
      "ranks are those of another layer",
      "this.state(tokens)!.rows(name, acting.indexOf(layer) * kvHeads, kvHeads)",
      "this.state(tokens)!.rows(name, 0 * acting.indexOf(layer) * kvHeads, kvHeads)",
      METHODS,
      ATTENTION,
    ],
    [
      "one token too many can be taken back",
      "held - tokens < this.#fixed[layer]!",
      "held - tokens < this.#fixed[layer]! - 1",
      ["tests/cache/rewind.test.ts"],
    ],
    ["a step's evictions do not scramble", "this.#state.scrambled.add(layer);", "void layer;"],
  ),
  ...of("lib/cache/slot_counts.ts", ["tests/cache/schedule.test.ts"], CACHE)(
    ["a chunk has no room next to what is held", "Math.max(capacity, prefill) };", "capacity };"],
    [
      "one slot too few",
      "const { capacity, prefill } = keeper.sequence(layer, sequence);",
      "const { capacity: all, prefill } = keeper.sequence(layer, sequence), capacity = Math.max(1, all - 1);",
    ],
  ),
  ...of("lib/cache/schedule.ts", ["tests/cache/schedule.test.ts"], CACHE)(
    [
      "layers that keep different numbers are one group",
      "`${entries}:${sink + heavy + recent}`",
      "`${entries}:${0 * (sink + heavy + recent)}`",
    ],
    [
      "capacity does not count the new token",
      "capacity = Math.max(capacity, entries);",
      "capacity = Math.max(capacity, held);",
    ],
  ),
  ...of("lib/cache/score_graph.ts", SCORES, CACHE)(
    [
      "pooling sees one neighbour less",
      "for (let i = 0; i < kernel; i++) {",
      "for (let i = 0; i < Math.max(1, kernel - 1); i++) {",
    ],
    [
      "pooling is shifted by one",
      "g.ints(0, before, 0, kernel - 1 - before)",
      "g.ints(0, kernel - 1 - before + (kernel > 1 ? 1 : 0), 0, before - (kernel > 1 ? 1 : 0))",
    ],
    ["the largest neighbour is at least zero", `op === "avg_pool" ? 0 : -Infinity`, "0"],
    [
      "a middle as long as the kernel is not pooled",
      `g.op("GreaterOrEqual", [context.count, g.scalar(kernel)])`,
      `g.op("Greater", [context.count, g.scalar(kernel)])`,
    ],
    [
      "a mean over all slots",
      "const inside = (by: number) => context.mask ?",
      "const inside = (by: number) => context.mask && by !== 0 ?",
    ],
  ),
];
