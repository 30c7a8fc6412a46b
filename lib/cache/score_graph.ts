import type { Graph, Tensor } from "../onnx/graph.ts";
import type { Feature, Score } from "../policies/score.ts";

/** Context in which a score is computed: how to get its features, and which entries count. */
export interface ScoreContext {
  /** A feature as float32 `[rows, entries]`, or `[rows, entries, headDim]` for keys and values. */
  readonly feature: (name: Feature) => Tensor;
  /** bool `[rows, entries]`: which entries are in the middle; left out if all are. */
  readonly mask?: Tensor;
  /** float32 `[rows, 1]` or `[1]`: how many entries are in the middle. */
  readonly count: Tensor;
}

const BINARY = { add: "Add", sub: "Sub", mul: "Mul", div: "Div" } as const;
const UNARY = { neg: "Neg", abs: "Abs", sqrt: "Sqrt", exp: "Exp", log: "Log" } as const;

/** Writes a score's nodes. Returns float32 `[rows, entries]`; entries outside the mask get arbitrary numbers. */
export function emitScore(g: Graph, score: Score, context: ScoreContext): Tensor {
  const emit = (s: Score): Tensor => emitScore(g, s, context);
  /** x with entries outside the middle replaced. */
  const masked = (x: Tensor, by: number) => context.mask ? g.op("Where", [context.mask, x, g.scalar(by)]) : x;
  switch (score.op) {
    case "feature":
      return context.feature(score.name);
    case "constant":
      return g.constant("float32", [1, 1], Float32Array.of(score.value));
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const [a, b] = alike(score.a, score.b);
      return g.op(BINARY[score.op], [a, b]);
    }
    case "neg":
    case "abs":
    case "sqrt":
    case "exp":
    case "log":
      return g.op(UNARY[score.op], [emit(score.x)]);
    case "sum":
    case "mean":
    case "max":
    case "norm":
      return score.over === "dim"
        ? g.op(OVER_DIM[score.op], [emit(score.x), g.ints(-1)], { keepdims: 0 })
        : overEntries(score.op, emit(score.x), depthOf(score.x));
    case "avg_pool":
    case "max_pool":
      return pool(score.op, score.kernel, emit(score.x));
  }

  /** Makes two operands broadcast: one number per entry is repeated to match a vector per entry. */
  function alike(a: Score, b: Score): [Tensor, Tensor] {
    const depths = [depthOf(a), depthOf(b)];
    const [x, y] = [a, b].map((part, i) =>
      depths[i] === 2 && depths[1 - i] === 3 ? g.op("Unsqueeze", [emit(part), g.ints(2)]) : emit(part)
    );
    return [x!, y!];
  }

  function overEntries(op: keyof typeof OVER_DIM, x: Tensor, depth: number): Tensor {
    const deep = (per: Tensor) => depth === 3 ? g.op("Unsqueeze", [per, g.ints(-1)]) : per;
    const inside = (by: number) => context.mask ? g.op("Where", [deep(context.mask), x, g.scalar(by)]) : x;
    if (op === "max") return g.op("ReduceMax", [inside(-Infinity), g.ints(1)], { keepdims: 1 });
    if (op === "norm") return g.op("ReduceL2", [inside(0), g.ints(1)], { keepdims: 1 });
    const sum = g.op("ReduceSum", [inside(0), g.ints(1)], { keepdims: 1 });
    return op === "sum" ? sum : g.op("Div", [sum, deep(context.count)]);
  }

  /** Pools neighbours by shifted copies: `kernel` is small, and no pooling kernel knows where the middle ends. */
  function pool(op: "avg_pool" | "max_pool", kernel: number, x: Tensor): Tensor {
    const before = Math.floor((kernel - 1) / 2);
    const outside = op === "avg_pool" ? 0 : -Infinity;
    const pads = g.ints(0, before, 0, kernel - 1 - before);
    const padded = g.op("Pad", [masked(x, outside), pads, g.scalar(outside)]);
    let pooled: Tensor | undefined;
    for (let i = 0; i < kernel; i++) {
      const end = g.ints(i === kernel - 1 ? Number.MAX_SAFE_INTEGER : i + 1 - kernel); // from the end
      const shifted = g.op("Slice", [padded, g.ints(i), end, g.ints(1)]);
      pooled = pooled ? g.op(op === "avg_pool" ? "Add" : "Max", [pooled, shifted]) : shifted;
    }
    if (op === "avg_pool") pooled = g.op("Div", [pooled!, g.scalar(kernel)]);
    const enough = g.op("GreaterOrEqual", [context.count, g.scalar(kernel)]);
    return g.op("Where", [enough, pooled!, x]);
  }
}

const OVER_DIM = { sum: "ReduceSum", mean: "ReduceMean", max: "ReduceMax", norm: "ReduceL2" } as const;

/** Whether a score looks at neighbours, so that entries have to come in text order. */
export function needsOrder(score: Score): boolean {
  switch (score.op) {
    case "feature":
    case "constant":
      return false;
    case "add":
    case "sub":
    case "mul":
    case "div":
      return needsOrder(score.a) || needsOrder(score.b);
    case "avg_pool":
    case "max_pool":
      return true;
    default:
      return needsOrder(score.x);
  }
}

/** 2 for one number per entry, `[rows, entries]`; 3 for a vector, `[rows, entries, headDim]`; 0 for a constant. */
export function depthOf(score: Score): 0 | 2 | 3 {
  switch (score.op) {
    case "feature":
      return score.name === "keys" || score.name === "values" ? 3 : 2;
    case "constant":
      return 0;
    case "add":
    case "sub":
    case "mul":
    case "div":
      return Math.max(depthOf(score.a), depthOf(score.b)) as 0 | 2 | 3;
    case "sum":
    case "mean":
    case "max":
    case "norm":
      return score.over === "dim" ? 2 : depthOf(score.x);
    default:
      return depthOf(score.x);
  }
}
