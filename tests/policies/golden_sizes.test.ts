import assert from "node:assert/strict";
import { policyOf } from "./_policy_of.ts";
import golden from "../fixtures/golden_sizes.json" with { type: "json" };

/** Runs of the Python benchmark: 800 tokens, one at a time, with the policy after each. */
for (const run of golden) {
  const title = `${run.name}, skip_layers [${run.skip_layers}], ${run.positions}`;
  Deno.test(`${run.method} holds as many entries as in the Python benchmark: ${title}`, () => {
    const policy = policyOf(run.method, run.params);
    const layers = run.layer_cache_sizes.length;
    const held = new Array<number>(layers).fill(0);
    for (let step = 0; step < 800; step++) {
      for (let layer = 0; layer < layers; layer++) {
        const entries = held[layer]! + 1;
        const sizes = (run.skip_layers as number[]).includes(layer) ? "all" : policy.keep({ layer, layers, entries });
        held[layer] = sizes === "all" ? entries : sizes.sink + sizes.heavy + sizes.recent;
      }
    }
    assert.deepEqual(held, run.layer_cache_sizes);
  });
}
