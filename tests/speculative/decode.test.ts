import { deepEqual, ok } from "node:assert/strict";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { budgetMethodNames } from "../../lib/roofline/budget_methods.ts";
import { decode } from "../../lib/speculative/decode/decode.ts";
import { fixedGamma } from "../../lib/speculative/decode/gamma.ts";
import type { Target } from "../../lib/speculative/decode/target.ts";
import { type Draft, NO_MEMORY } from "../../lib/speculative/drafts/draft.ts";
import {
  type GammaChoice,
  roomOf,
  Speculator,
  type Verification,
  type Written,
} from "../../lib/speculative/child/speculator.ts";
import { readDraft } from "../../lib/speculative/plan/draft_spec.ts";
import { embeddedModel, goldenTokens } from "../parity/golden.ts";

const runtime = openRuntime("cpu");
const model = embeddedModel();
const NEW = 30;

function speculator(
  gamma: GammaChoice,
  verification: Verification = "rows",
  attention: "fused" | "explicit" = "fused",
) {
  return new Speculator(runtime, model, {
    dtype: "float32",
    attention,
    maxPositions: 256,
    verification,
    gamma,
    room: roomOf(gamma),
    logits: true,
  });
}

/** Writes the text plainly, then with each draft, and compares tokens and bits. */
function compare(drafts: readonly string[], own: Speculator, prompt: readonly number[] = goldenTokens.slice(0, 120)) {
  const writing = { prompt, warmup: 0, newTokens: NEW, seed: 1 };
  const plain: Float32Array[] = [];
  const { tokens } = own.plain({ ...writing, onLogits: (logits) => plain.push(logits.slice()) });
  const truth = [...writing.prompt, ...tokens];
  return drafts.map((name) => {
    const bits: Float32Array[] = [];
    const written = own.write(
      readDraft(name),
      { ...writing, onLogits: (logits) => bits.push(logits.slice()) },
      truth,
    );
    deepEqual(written.tokens.slice(0, NEW + 1), tokens, name);
    deepEqual(bits.slice(0, NEW), plain, name);
    return written;
  });
}

const accepted = ({ rounds }: { rounds: readonly { accepted: number }[] }) =>
  rounds.reduce((sum, { accepted }) => sum + accepted, 0);

for (const attention of ["fused", "explicit"] as const) {
  Deno.test(`greedy text is that of plain decoding, bit for bit, with self-drafts, ${attention}`, () => {
    using own = speculator(3, "rows", attention);
    // In the other form what differs is the target.
    const names = attention === "fused" ? budgetMethodNames : ["streaming_llm", "h2o"];
    const drafts = names.map((method) => `self:${method}:48`);
    const written = compare(drafts, own);
    for (const [i, each] of written.entries()) ok(accepted(each) > 0, drafts[i]);
  });
}

Deno.test("greedy text is that of plain decoding, bit for bit, with models, look-up and oracles, at every gamma", () => {
  for (const gamma of [1, 3, "auto"] as const) {
    using own = speculator(gamma);
    const drafts = ["ngram", "lib/assets/novel-neox-8m", "oracle:0.7", "oracle:0.5:self:streaming_llm:32"];
    const [, same, oracle] = compare([...drafts, "oracle:0.5:self:h2o:32"], own);
    if (gamma === "auto") continue;
    // The model itself is always right.
    deepEqual(same!.rounds.map(({ accepted }) => accepted), same!.rounds.map(() => gamma));
    ok(accepted(oracle!) > 0);
  }
});

Deno.test("drafts can be verified step by step", () => {
  using own = speculator(4, "steps");
  for (const { passes } of compare(["ngram", "self:tova:32"], own)) deepEqual(Object.keys(passes), ["1"]);
});

Deno.test("what pads a pass is taken back", () => {
  using own = speculator(4);
  // A cycle of three tokens: look-up finds three, and passes have room for two or four.
  const cycle = Array.from({ length: 60 }, (_, i) => goldenTokens[30 + i % 3]!);
  const [{ rounds, passes }] = compare(["ngram"], own, [...goldenTokens.slice(0, 30), ...cycle]) as [Written];
  ok(rounds.some(({ drafted }) => drafted === 3), rounds.map(({ drafted }) => drafted).join());
  ok(passes[5]! > 0);
});

Deno.test("a draft is told how many of its tokens are part of the text", () => {
  /** Proposes the next two even numbers, of which the target keeps those below 6. */
  class Even implements Draft {
    readonly memory = NO_MEMORY;
    readonly steps = 0;
    readonly settled: number[] = [];
    propose(text: readonly number[]) {
      const last = text.at(-1)!;
      return { tokens: [last + 2, last + 4], distributions: [undefined, undefined] };
    }
    settle(accepted: number): void {
      this.settled.push(accepted);
    }
    [Symbol.dispose](): void {}
  }
  const draft = new Even();
  const kept: number[] = [];
  const target: Target = {
    verify: (tokens) => ({
      predicted: tokens.map((token) => token < 6 ? token + 2 : 0),
      logits: () => new Float32Array(),
    }),
    keep: (tokens) => kept.push(tokens),
  };
  const { tokens } = decode({ target, draft, gamma: fixedGamma(2), text: [0], newTokens: 8, random: () => 0 });
  deepEqual(tokens, [2, 4, 6, 0, 2, 4, 6, 0]);
  deepEqual(draft.settled, [2, 0, 2, 0]);
  deepEqual(kept, [3, 1, 3, 1]);
});
