/** How many rows of a matrix a warp computes in a pass of several tokens. */
import { ok } from "node:assert/strict";
import { MOST_TOKENS, ROW_KERNELS, rowsAWarp } from "../../lib/kernels/row_kernels.ts";

Deno.test("there is a kernel for every choice of rows a warp", () => {
  for (let tokens = 1; tokens <= MOST_TOKENS; tokens++) {
    const own = rowsAWarp(tokens);
    const names = ROW_KERNELS.filter((name) => Number(/^rows_linear_(\d+)_/.exec(name)?.[1]) >= tokens);
    ok(names.some((name) => name.endsWith(`_${own}`)), `${tokens} tokens, ${own} rows`);
  }
});
