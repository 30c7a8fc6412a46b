import { ok } from "node:assert/strict";
import fc from "fast-check";
import {
  ACTIVATIONS,
  configOf,
  farthest,
  logitsOf,
  lookUp,
  neox,
  randomWeights,
  storedWeights,
  temporaryFolder,
  writeModel,
} from "./_models.ts";
import { forward, type Neox } from "../reference/neox.ts";

/** Shapes of GPT-NeoX models, the odd ones too. */
const models: fc.Arbitrary<Neox> = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  heads: fc.integer({ min: 1, max: 4 }),
  headDim: fc.oneof(fc.integer({ min: 4, max: 32 }), fc.constantFrom(8, 16, 24, 32)),
  share: fc.oneof(fc.constantFrom(0.25, 0.5, 1), fc.double({ min: 0.1, max: 1, noNaN: true })),
  intermediate: fc.integer({ min: 1, max: 70 }),
  vocab: fc.integer({ min: 40, max: 60 }),
  theta: fc.constantFrom(10, 10000, 1e6),
  scale: fc.constantFrom(1, 2.5),
  eps: fc.constantFrom(1e-12, 1e-5, 0.1),
  parallel: fc.boolean(),
  attentionBias: fc.boolean(),
  tied: fc.boolean(),
  activation: fc.constantFrom(...ACTIVATIONS.keys()),
}).map(({ headDim, share, ...rest }) =>
  neox({ ...rest, hidden: rest.heads * headDim, rotary: Math.max(2, 2 * Math.floor(headDim * share / 2)) })
);

/** How many tokens each pass brings: prompts and steps in any order. */
const passes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });

Deno.test("the decoder computes what a plain forward pass in float64 does, whatever the shape, form and passes", () => {
  fc.assert(
    fc.property(models, passes, fc.integer(), (model, passes, seed) => {
      const weights = randomWeights(model, seed);
      const ids = Array.from({ length: passes.reduce((a, b) => a + b) }, (_, i) => (seed >>> i) % 40);
      const expected = forward(model, lookUp(weights), ids);
      using folder = temporaryFolder();
      writeModel(folder.path, configOf(model), storedWeights(model, weights));
      for (const attention of ["explicit", "fused"] as const) {
        if (attention === "fused" && model.hidden / model.heads % 8) continue;
        const difference = farthest(logitsOf(folder.path, ids, passes, attention), expected);
        // Logits reach 60 and sum a hundred products: float32 is off by up to 3e-5.
        ok(difference < 1e-4, `${attention}: off by ${difference}`);
      }
    }),
    { numRuns: 80 },
  );
});
