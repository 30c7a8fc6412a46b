/**
 * The cache and its eviction in plain loops: the reference for the graphs of lib/cache. Written from the methods'
 * definitions and, except for types, from nothing in lib.
 */
import type { AttentionUse, LayerState, Sizes } from "../../lib/policies/policy.ts";
import type { Score } from "../../lib/policies/score.ts";

/** One token in the cache of one KV head. */
export interface Entry {
  /** Its index in the text. */
  readonly index: number;
  readonly key: ArrayLike<number>;
  readonly value: ArrayLike<number>;
  /** Index of a query in the text → the attention it paid to the entry. */
  readonly seen: Map<number, number>;
}

/** What the reference needs of a method. */
export interface Method {
  readonly keep: (state: LayerState) => Sizes | "all";
  /** An expression, or a function that gives the scores of a row's middle. */
  readonly score?: Score | ((middle: readonly Entry[], cache: ReferenceCache) => number[]) | undefined;
  readonly attention?: AttentionUse | undefined;
}

/** How scores are computed. */
export interface Arithmetic {
  /** Applied to every result: `Math.fround` for float32's numbers. */
  readonly round: (x: number) => number;
}

const float64: Arithmetic = { round: (x) => x };
export const float32: Arithmetic = { round: Math.fround };

/** Entries of every layer and KV head, in text order, and what a method keeps of them. */
export class ReferenceCache {
  /** `[layer][kvHead]` → entries. */
  readonly rows: Entry[][][];
  /** Tokens of the text so far. */
  tokens = 0;
  /**
   * The most that one of attention's scores was added up from: the root of the sum of its products' squares.
   * Independent errors of queries and keys, as a share of each number, move a score by that share of it, and a weight
   * by as much of itself.
   */
  sharpest = 0;

  constructor(
    readonly shape: { readonly layers: number; readonly heads: number; readonly kvHeads: number },
    readonly method: Method,
    readonly skipped: ReadonlySet<number> = new Set(),
    readonly arithmetic = float64,
  ) {
    this.rows = Array.from({ length: shape.layers }, () => Array.from({ length: shape.kvHeads }, () => []));
  }

  /** Adds the next token of the text to a KV head. */
  append(layer: number, kvHead: number, index: number, key: ArrayLike<number>, value: ArrayLike<number>): void {
    this.rows[layer]![kvHead]!.push({ index, key, value, seen: new Map() });
  }

  /**
   * Records the attention of one query, `[heads][entries]`. The query heads of a KV head are adjacent; their mean
   * counts for its entries, or the mean of all heads if the layer makes one choice.
   */
  observe(layer: number, query: number, weights: readonly ArrayLike<number>[]): void {
    const { heads, kvHeads } = this.shape;
    const use = this.method.attention;
    const shared = use?.from === "last" && use.share === "layer";
    const group = heads / kvHeads;
    this.rows[layer]!.forEach((entries, kvHead) => {
      const readers = shared ? weights : weights.slice(kvHead * group, (kvHead + 1) * group);
      entries.forEach(({ seen }, i) => {
        seen.set(query, readers.reduce((sum, weight) => sum + weight[i]!, 0) / readers.length);
      });
    });
  }

  /**
   * Returns the attention paid to an entry, as the method counts it: by every query, or by the text's last `window`.
   */
  paid({ seen }: Entry): number {
    const use = this.method.attention!;
    const first = use.from === "all" ? 0 : this.tokens - use.window;
    let sum = 0;
    for (const [query, weight] of seen) if (query >= first) sum += weight;
    return sum;
  }

  /** Returns what a layer keeps; "all" if nothing changes. */
  sizes(layer: number): Sizes | "all" {
    if (this.skipped.has(layer)) return "all";
    const entries = this.rows[layer]![0]!.length;
    const sizes = this.method.keep({ layer, layers: this.shape.layers, entries });
    return sizes === "all" || kept(sizes) === entries ? "all" : sizes;
  }

  /** Returns the scores of a row's middle. `random` returns the number drawn for the entry of a rank. */
  scores(
    layer: number,
    kvHead: number,
    { sink, recent }: Sizes,
    random: (rank: number) => number = () => NaN,
  ): number[] {
    const entries = this.rows[layer]![kvHead]!;
    const middle = entries.slice(sink, entries.length - recent);
    const { score } = this.method;
    if (typeof score === "function") return score(middle, this);
    return evaluate(score!, {
      entries: middle,
      paid: (entry) => this.paid(entry),
      random: (i) => random(sink + i),
      round: this.arithmetic.round,
    });
  }

  /**
   * Returns the ranks that a row keeps, in order.
   *
   * @param random The number drawn for the entry of a rank.
   */
  choose(layer: number, kvHead: number, sizes: Sizes, random?: (rank: number) => number): number[] {
    const { length } = this.rows[layer]![kvHead]!;
    const best = sizes.heavy === 0 ? [] : highest(this.scores(layer, kvHead, sizes, random), sizes.heavy);
    return [
      ...range(0, sizes.sink),
      ...best.map((i) => sizes.sink + i),
      ...range(length - sizes.recent, length),
    ];
  }

  /** Drops what is not among the ranks. */
  keep(layer: number, kvHead: number, ranks: readonly number[]): void {
    const entries = this.rows[layer]![kvHead]!;
    this.rows[layer]![kvHead] = ranks.map((rank) => entries[rank]!);
  }
}

/** Entries kept in all. */
export const kept = ({ sink, heavy, recent }: Sizes) => sink + heavy + recent;

/** Returns the indices of the `count` highest numbers, in order; among equals the earlier one is kept. */
export function highest(numbers: readonly number[], count: number): number[] {
  return [...numbers.keys()].sort((a, b) => numbers[b] === numbers[a] ? a - b : numbers[b]! - numbers[a]!)
    .slice(0, count).sort((a, b) => a - b);
}

export const range = (start: number, end: number) =>
  Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);

/** What an expression sees: a row's middle. */
interface Middle extends Arithmetic {
  readonly entries: readonly Entry[];
  readonly paid: (entry: Entry) => number;
  readonly random: (i: number) => number;
}

/** A score of every entry of a middle. */
export function evaluate(score: Score, middle: Middle): number[] {
  return matrix(score, middle).map(([number]) => number!);
}

const UNARY = { neg: (x: number) => -x, abs: Math.abs, sqrt: Math.sqrt, exp: Math.exp, log: Math.log };

/** A score as `[entries][1]`, or `[entries][headDim]` where it is a vector of each. */
function matrix(score: Score, middle: Middle): number[][] {
  const { entries, round } = middle;
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => round(a + b), 0);
  const reduce = (op: "sum" | "mean" | "max" | "norm", numbers: readonly number[]) => {
    switch (op) {
      case "sum":
        return sum(numbers);
      case "mean":
        return round(sum(numbers) / numbers.length);
      case "max":
        return Math.max(...numbers);
      case "norm":
        return round(Math.sqrt(sum(numbers.map((x) => round(x * x)))));
    }
  };
  switch (score.op) {
    case "feature":
      return entries.map((entry, i) => {
        switch (score.name) {
          case "keys":
            return Array.from(entry.key);
          case "values":
            return Array.from(entry.value);
          case "key_norm":
            return [reduce("norm", Array.from(entry.key))];
          case "attention":
            return [middle.paid(entry)];
          case "random":
            return [middle.random(i)];
        }
      });
    case "constant":
      return entries.map(() => [round(score.value)]);
    case "neg":
    case "abs":
    case "sqrt":
    case "exp":
    case "log":
      return matrix(score.x, middle).map((row) => row.map((x) => round(UNARY[score.op](x))));
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const [a, b] = [matrix(score.a, middle), matrix(score.b, middle)];
      return a.map((row, i) =>
        range(0, Math.max(row.length, b[i]!.length)).map((j) => {
          const x = row[row.length === 1 ? 0 : j]!, y = b[i]![b[i]!.length === 1 ? 0 : j]!;
          return round(score.op === "add" ? x + y : score.op === "sub" ? x - y : score.op === "mul" ? x * y : x / y);
        })
      );
    }
    case "sum":
    case "mean":
    case "max":
    case "norm": {
      const x = matrix(score.x, middle);
      if (score.over === "dim") return x.map((row) => [reduce(score.op, row)]);
      const over = range(0, x[0]?.length ?? 0).map((j) => reduce(score.op, x.map((row) => row[j]!)));
      return x.map(() => over);
    }
    case "avg_pool":
    case "max_pool": {
      const x = matrix(score.x, middle);
      const { kernel } = score;
      if (x.length < kernel) return x;
      const reach = (kernel - 1) / 2;
      return x.map((_, i) => {
        const near = range(Math.max(0, i - reach), Math.min(x.length, i + reach + 1)).map((j) => x[j]![0]!);
        // What lies outside counts as zero in the average, and not at all for the largest.
        return [score.op === "max_pool" ? Math.max(...near) : round(sum(near) / kernel)];
      });
    }
  }
}

const PRIME = 2147483647n;

/** The number drawn for a rank of a row, as float32. */
export function uniform(draw: number | bigint, row: number, rank: number): number {
  let x = (BigInt(draw) * 1103515245n + BigInt(row) * 69621n + BigInt(rank) * 1664525n) % PRIME;
  for (const [by, plus] of [[48271n, 11n], [1583458089n, 1234567n], [784588716n, 97n]] as const) {
    const y = (x * by + plus) % PRIME;
    x = (y * y + y) % PRIME;
  }
  return Math.fround(Math.fround(Number(x)) * Math.fround(1 / Number(PRIME)));
}
