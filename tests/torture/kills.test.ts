import { deepEqual, equal } from "node:assert/strict";
import { CALLS, killCase, savedAfter } from "./kill_case.ts";
import { run } from "./kills.ts";

const ignore = Deno.build.os !== "linux";

Deno.test(
  "runs that are killed leave no process and lose no pass, and go on to the same figures",
  { ignore },
  async () => {
    const failed: unknown[] = [];
    // Two are killed at calls that write; in the others, launchers, the parent and a child get various signals
    for await (const verdict of run({ seed: 68, count: 8, wholeOneIn: 1 })) {
      if (verdict.outcome === "failed") failed.push(verdict);
    }
    deepEqual(failed, []);
  },
);

Deno.test("248 kills are of every call that writes, before it and after", () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 248; seed++) {
    const kill = killCase(seed, true, true);
    if (kill.kind === "call") seen.add(`${kill.call} ${kill.when}`);
  }
  equal(seen.size, 2 * CALLS);
  // The first is the start's, the last the end's.
  deepEqual(Array.from({ length: 11 }, (_, renames) => savedAfter(renames)), [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8]);
});
