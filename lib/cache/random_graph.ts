import type { Graph, Tensor } from "../onnx/graph.ts";

/** A prime just below 2^31: products of two residues fit in int64. */
const PRIME = 2147483647n;

/**
 * Uniform numbers in [0, 1) as a pure function of draw, row and rank, `[rows, entries]` float32. A generator with state
 * would not do: a captured CUDA graph would replay the same state forever. A test can also compute the same numbers.
 *
 * `draw` int64 `[1]` or scalar; `row` int64 `[rows, 1]`; `rank` int64 `[rows, entries]` or `[1, entries]`.
 */
export function emitRandom(g: Graph, draw: Tensor, row: Tensor, rank: Tensor): Tensor {
  const int = (value: bigint) => g.constant("int64", [], BigInt64Array.of(value));
  const mod = (x: Tensor) => g.op("Mod", [x, int(PRIME)]);
  const times = (x: Tensor, by: bigint) => mod(g.op("Mul", [mod(x), int(by)]));
  let x = mod(
    g.op("Add", [g.op("Add", [times(draw, 1_103_515_245n), times(row, 69_621n)]), times(rank, 1_664_525n)]),
  );
  // A linear map alone would leave a lattice: squaring between the rounds breaks it.
  for (const [by, plus] of ROUNDS) {
    const y = mod(g.op("Add", [times(x, by), int(plus)]));
    x = mod(g.op("Add", [g.op("Mul", [y, y]), y]));
  }
  return g.op("Mul", [g.cast(x, "int64", "float32"), g.scalar(1 / Number(PRIME))]);
}

/** Multiplier and increment of each round. */
export const ROUNDS: readonly (readonly [bigint, bigint])[] = [
  [48_271n, 11n],
  [1_583_458_089n, 1_234_567n],
  [784_588_716n, 97n],
];

/** The golden section of the prime: its multiples lie as far from each other as possible. */
const GOLDEN = 1327217885n;

/**
 * First draw of a seed; later draws count up from it. Only its residue matters, and the residues of 1000 seeds and both
 * kinds of eviction lie at least 400,000 draws apart. (Multiples of 2^32 would not do: its residue is 2.)
 */
export function firstDraw(seed: number, kind: "drop" | "compact"): number {
  const stream = 2n * BigInt(seed) + (kind === "drop" ? 0n : 1n);
  return Number(((stream * GOLDEN) % PRIME + PRIME) % PRIME);
}
