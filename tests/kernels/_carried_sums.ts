import type { DropArguments } from "../../lib/kernels/structs.ts";
import { definition } from "./_source.ts";
import { DIRECTION, OF_VALUES, OPS } from "../reference/stack_machine.ts";

/**
 * Checks the sums of a row that the kernel carries from step to step (see sum_up in drop_mean.cuh): compares each one
 * that it would continue with the sum of its entries.
 */
export function carriedSums(
  { sums, program: { instructions, means }, headDim }: DropArguments,
  row: number,
  { sink, end, vector }: {
    readonly sink: number;
    readonly end: number;
    readonly vector: (ofValues: boolean, rank: number) => Float32Array;
  },
) {
  return instructions.filter(({ op }) => OPS[op] === "dot_mean").map(({ number }, which) => {
    const width = headDim + definition("SUM_FIELDS");
    const at = Deno.UnsafePointer.offset(sums!, 4 * (row * means + which) * width);
    const state = new Float32Array(Deno.UnsafePointerView.getArrayBuffer(at!, 4 * width));
    const [count, from] = [state[headDim]!, state[headDim + 1]!];
    const summand = (rank: number) => {
      const x = vector((number & OF_VALUES) !== 0, rank);
      const length = number & DIRECTION ? Math.hypot(...x) : 1;
      return Array.from(x, (x) => x / length);
    };
    const total = (ranks: number) => {
      const sum = new Float64Array(headDim);
      for (let rank = sink; rank < sink + ranks; rank++) summand(rank).forEach((x, i) => sum[i]! += x);
      return sum;
    };
    if (count > 0 && count <= end - sink && from === sink) {
      const off = Math.max(...total(count).map((x, i) => Math.abs(x - state[i]!)));
      if (!(off < 1e-4 * count)) throw new Error(`a sum carried on is off by ${off}: it is not that of its entries`);
    }
    return {
      carryOn(dropped: number): void {
        const leaving = summand(dropped);
        state.set(total(end - sink).map((x, i) => x - leaving[i]!));
        state.set([end - sink - 1, sink, 0], headDim);
      },
    };
  });
}
