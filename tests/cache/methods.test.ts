/** The methods on real models: what the device holds, compared with the definitions over attention in float64. */
import fc from "fast-check";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { configOf, lookUp, neox, randomWeights, storedWeights, temporaryFolder, writeModel } from "../model/_models.ts";
import { goldenTokens } from "../parity/golden.ts";
import { embedded } from "./_embedded.ts";
import { fewTies, follow } from "./_follow.ts";
import { pairs } from "./_pairs.ts";
import { range, ReferenceCache } from "../reference/cache.ts";
import { ReferenceDecoder } from "../reference/decoder.ts";

Deno.test("random models hold what the definitions keep, in every numbering, and give the logits of it", () => {
  const shapes = fc.record({
    layers: fc.integer({ min: 2, max: 3 }),
    heads: fc.integer({ min: 1, max: 3 }),
    headDim: fc.constantFrom(8, 16),
    share: fc.constantFrom(0.25, 0.5, 1),
    parallel: fc.boolean(),
  });
  const schedules = fc.tuple(fc.constantFrom(0, 6, 13, 20), fc.integer({ min: 10, max: 24 }));
  fc.assert(
    fc.property(
      shapes,
      fc.constantFrom(...pairs(6), ...pairs(9)),
      schedules,
      fc.constantFrom("absolute", "cache", "seed"),
      fc.constantFrom("explicit", "fused"),
      fc.boolean(),
      fc.nat(1e6),
      ({ headDim, share, ...shape }, { policy, method }, [prompt, steps], positions, wanted, skips, seed) => {
        const model = neox({ ...shape, hidden: shape.heads * headDim, rotary: Math.max(2, headDim * share) });
        const weights = randomWeights(model, seed);
        // No token occurs twice: in the first layer its keys would have the same norm.
        const ids = Array.from({ length: prompt + steps }, (_, i) => (seed + 7 * i) % model.vocab);
        using folder = temporaryFolder();
        writeModel(folder.path, configOf(model), storedWeights(model, weights));
        const attention = policy.attention || positions === "cache" ? "explicit" : wanted;
        const { nearTies, choices } = follow({
          model: openModelFolder(folder.path),
          neox: model,
          weights: lookUp(weights),
          policy,
          method,
          ids,
          passes: [...(prompt ? [prompt] : []), ...new Array(steps).fill(1)],
          positions,
          attention,
          skip: skips ? [0] : [],
          seed,
          logits: 1e-4,
        });
        fewTies(nearTies, choices);
      },
    ),
    { numRuns: 60 },
  );
});

/** Methods with random or no choices, or with another method's choices: small models are enough for them. */
const ELSEWHERE = ["random", "streaming_llm", "snapkv, max", "fix_size_l2"];

Deno.test("the embedded model holds what the definitions keep of Moby Dick", async (test) => {
  const { neox: { layers, heads } } = embedded;
  const [size, prompt, steps] = [32, 44, 4];
  const cache = new ReferenceCache({ layers, heads, kvHeads: heads }, { keep: () => "all" });
  const whole = new ReferenceDecoder(embedded.neox, embedded.weights, cache);
  const known = goldenTokens.slice(0, prompt).map((id) => whole.step(id).layers);
  for (const { name, policy, method } of pairs(size)) {
    if (ELSEWHERE.includes(name)) continue;
    // Up to where the first layer drops an entry.
    const acts = (entries: number) =>
      range(0, layers).some((layer) => method.keep({ layer, layers, entries }) !== "all");
    const full = range(1, prompt).find(acts)! - 1;
    for (const [how, passes] of [["a prompt", [prompt]], ["steps", new Array<number>(full).fill(1)]] as const) {
      await test.step(`${name}, after ${how}`, () => {
        const { nearTies, choices } = follow({
          ...embedded,
          policy,
          method,
          ids: goldenTokens,
          passes: [...passes, ...new Array<number>(steps).fill(1)],
          known: known.slice(0, passes.reduce((a, b) => a + b)),
        });
        // Observed: none, except where the first layer chooses by norms, between two entries of the same token, whose
        // norms are equal.
        fewTies(nearTies.filter(({ layer, gap }) => layer > 0 || gap > 1e-12), choices, 0.001);
      });
    }
  }
});
