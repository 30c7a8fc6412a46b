/** How many rows of a matrix a warp computes in a pass of several tokens. */
import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { MOST_TOKENS, ROW_KERNELS, rowsAWarp } from "../../lib/kernels/row_kernels.ts";

Deno.test("matrices of few rows are split so that no multiprocessor has two blocks where one each would do", () => {
  // 2560 rows are 128 blocks of 4 warps with 5 rows each, and 160 with 4. 2048 rows are 128 blocks with 4.
  for (const tokens of [3, 4, 8, 12, 16]) equal(rowsAWarp(tokens, [2560], 132), 5, `${tokens}`);
  for (const tokens of [8, 12, 16]) equal(rowsAWarp(tokens, [2048], 132), 4, `${tokens}`);
  equal(rowsAWarp(8, [2560], 160), 4);
});

Deno.test("there is a kernel for every choice", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: MOST_TOKENS }),
    fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 200 }),
    (tokens, rows, multiprocessors) => {
      const aWarp = rowsAWarp(tokens, rows, multiprocessors);
      ok(ROW_KERNELS.some((name) => {
        const [, most, own] = /^rows_linear_(\d+)_(\d+)$/.exec(name) ?? [];
        return Number(most) >= tokens && Number(own) === aWarp;
      }));
    },
  ));
});
