/** Logits and NLL against those of the reference implementation, transformers. */
import { ok } from "node:assert/strict";
import fc from "fast-check";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { embeddedModel, goldenRuns, goldenTokens } from "../parity/golden.ts";
import { farthest, runtime } from "./_models.ts";

const FORMS = ["fused", "explicit"] as const;

for (const attention of FORMS) {
  Deno.test(`the embedded model gives the reference's NLL stepwise and after prompts, ${attention}`, () => {
    const { nll } = goldenRuns.find(({ name, positions }) => name === "baseline" && positions === "absolute")!;
    using engine = engineOf(embeddedModel(), attention, 800);
    const check = (got: number, at: number) =>
      ok(Math.abs(got - nll[at]!) < 1e-4, `token ${at}: NLL ${got}, the reference's is ${nll[at]}`);
    {
      using sequence = engine.sequence([{ tokens: 1, times: 64 }], 0);
      for (let i = 0; i < 64; i++) {
        sequence.forward([goldenTokens[i]!], goldenTokens[i + 1]!);
        sequence.evict();
        check(sequence.read().nll, i);
      }
    }
    for (const length of [2, 3, 63, 64, 65, 300, 800]) {
      using sequence = engine.sequence([{ tokens: length, times: 1 }], 0);
      sequence.forward(goldenTokens.slice(0, length), goldenTokens[length]!);
      check(sequence.read().nll, length - 1);
    }
  });
}

Deno.test("the embedded model gives equal logits fused and explicit, however the tokens are cut into passes", () => {
  const model = embeddedModel();
  const { vocab } = model.spec;
  using fused = engineOf(model, "fused", 64, true);
  using explicit = engineOf(model, "explicit", 64, true);
  /** Logits after a prompt of the first `prompt` tokens and a step for each further one. */
  const last = (engine: Engine, tokens: readonly number[], prompt: number) => {
    using sequence = engine.sequence([{ tokens: prompt, times: 1 }, { tokens: 1, times: tokens.length - prompt }], 0);
    sequence.forward(tokens.slice(0, prompt), 0);
    sequence.evict();
    for (let i = prompt; i < tokens.length; i++) {
      sequence.forward([tokens[i]!], 0);
      sequence.evict();
    }
    return sequence.logits().slice(-vocab);
  };
  const tokens = fc.array(fc.nat(vocab - 1), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(tokens, fc.nat(), (tokens, cut) => {
      const prompt = 1 + cut % tokens.length;
      const whole = last(fused, tokens, tokens.length);
      for (
        const [how, got] of [
          ["fused, in two", last(fused, tokens, prompt)],
          ["explicit, whole", last(explicit, tokens, tokens.length)],
          ["explicit, in two", last(explicit, tokens, prompt)],
        ] as const
      ) {
        const difference = farthest([got], [whole]);
        ok(difference < 1e-4, `${how}: off by ${difference}`);
      }
    }),
    { numRuns: 12 },
  );
});

function engineOf(
  model: ReturnType<typeof openModelFolder>,
  attention: "fused" | "explicit",
  maxPositions: number,
  logits = false,
) {
  return new Engine(runtime(), model, {
    dtype: "float32",
    attention,
    maxPositions,
    table: { layers: Array.from({ length: model.spec.layers }, () => []) },
    logits,
  });
}
