/** The machine that drop_program.cuh describes, in plain loops: an eviction score as a program over a row's entries in text order. */
import type { DropProgram } from "../../lib/kernels/drop_program.ts";
import { definition, enumeration } from "../kernels/_source.ts";

/** By its own numbers: those of drop_program.cuh. */
export const OPS = enumeration("Op");
export const [OF_VALUES, ABSOLUTE, DIRECTION] = ["OF_VALUES", "ABSOLUTE", "DIRECTION"].map(definition) as [
  number,
  number,
  number,
];

/** A row of the cache, as a program sees it. */
export interface ProgramRow {
  readonly entries: number;
  /** First rank of the middle, and one past its last. */
  readonly sink: number;
  readonly end: number;
  /** What an instruction that reads a feature pushes, by rank. */
  readonly features: Readonly<Record<string, (rank: number) => number>>;
  /** Vectors of headDim numbers, by rank. */
  readonly keys: (rank: number) => ArrayLike<number>;
  readonly values: (rank: number) => ArrayLike<number>;
}

/**
 * Runs a program; returns the score of every rank. Those outside the middle mean nothing.
 *
 * @param round Applied to every result: `Math.fround` for float32's numbers.
 */
export function runProgram(
  { instructions, depth, means }: DropProgram,
  { entries, sink, end, features, keys, values }: ProgramRow,
  round: (x: number) => number = Math.fround,
): number[] {
  const stack: number[][] = [];
  const ranks = Array.from({ length: entries }, (_, rank) => rank);
  const middle = ranks.slice(sink, end);
  const map = (f: (x: number) => number) => void stack.push(stack.pop()!.map((x) => round(f(x))));
  const binary = (f: (x: number, y: number) => number) => {
    const y = stack.pop()!, x = stack.pop()!;
    stack.push(x.map((value, rank) => round(f(value, y[rank]!))));
  };
  const over = (f: (middle: readonly number[]) => number) => {
    const x = stack.pop()!;
    stack.push(new Array(entries).fill(round(f(middle.map((rank) => x[rank]!)))));
  };
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const norm = (numbers: readonly number[]) => Math.sqrt(sum(numbers.map((x) => x * x)));
  const vectors = (bits: number) => ranks.map((rank) => Array.from((bits & OF_VALUES ? values : keys)(rank)));
  /** What over_dim does, by the bits above the others. */
  const overDim = [
    sum,
    (x: readonly number[]) => sum(x) / x.length,
    (x: readonly number[]) => Math.max(...x),
    norm,
  ];
  const pool = (kernel: number, f: (near: readonly number[]) => number) => {
    if (stack.length + 1 > depth) throw new Error("pooling has no second array");
    if (middle.length < kernel) return;
    const before = Math.floor((kernel - 1) / 2), x = stack.pop()!;
    const near = (rank: number) =>
      Array.from({ length: kernel }, (_, k) => rank - before + k).filter((other) => other >= sink && other < end);
    stack.push(
      ranks.map((rank) => rank < sink || rank >= end ? x[rank]! : round(f(near(rank).map((other) => x[other]!)))),
    );
  };
  for (const { op, number } of instructions) {
    const name = OPS[op]!;
    switch (name) {
      case "constant":
        stack.push(new Array(entries).fill(round(number)));
        break;
      case "over_dim": {
        const signed = (x: number) => number & ABSOLUTE ? Math.abs(x) : x;
        stack.push(vectors(number).map((x) => round(overDim[number >> 2]!(x.map(signed)))));
        break;
      }
      case "dot_mean": {
        if (means === 0) throw new Error("dot_mean has no room for a mean");
        const x = vectors(number).map((x) => {
          const length = number & DIRECTION ? norm(x) : 1;
          return x.map((x) => x / length);
        });
        const mean = x[sink]!.map((_, i) => sum(middle.map((rank) => x[rank]![i]!)) / middle.length);
        stack.push(x.map((x) => round(sum(x.map((x, i) => x * mean[i]!)))));
        break;
      }
      case "neg":
        map((x) => -x);
        break;
      case "abs":
      case "sqrt":
      case "exp":
      case "log":
        map(Math[name]);
        break;
      case "sum_over":
        over(sum);
        break;
      case "mean_over":
        over((x) => sum(x) / x.length);
        break;
      case "max_over":
        over((x) => Math.max(...x));
        break;
      case "norm_over":
        over(norm);
        break;
      case "avg_pool":
        pool(number, (near) => sum(near) / number);
        break;
      case "max_pool":
        pool(number, (near) => Math.max(...near));
        break;
      case "add":
        binary((x, y) => x + y);
        break;
      case "sub":
        binary((x, y) => x - y);
        break;
      case "mul":
        binary((x, y) => x * y);
        break;
      case "div":
        binary((x, y) => x / y);
        break;
      default: {
        const feature = features[name];
        if (!feature) throw new Error(`the program reads ${name}`);
        stack.push(ranks.map(feature));
      }
    }
    if (stack.length > depth) throw new Error(`${stack.length} arrays on a stack for ${depth}`);
  }
  if (stack.length > 1) throw new Error(`${stack.length} results`);
  return stack[0] ?? [];
}
