import { deepEqual, equal, ok } from "node:assert/strict";
import { Verifier } from "../../lib/engine/verifier.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { decode } from "../../lib/speculative/decode/decode.ts";
import { fixedGamma } from "../../lib/speculative/decode/gamma.ts";
import { EngineTarget } from "../../lib/speculative/decode/target.ts";
import { NgramDraft } from "../../lib/speculative/drafts/ngram_draft.ts";
import { embeddedModel, goldenTokens } from "../parity/golden.ts";

const runtime = openRuntime("cpu");
const model = embeddedModel();
const engine = new Engine(runtime, model, {
  dtype: "float32",
  attention: "fused",
  maxPositions: 600,
  table: { layers: new Array(model.spec.layers).fill([]) },
  logits: "last",
});

Deno.test("x", () => {
  const prompt = goldenTokens.slice(0, 200);
  const verifiers = [2, 3, 5].map((rows) => new Verifier(engine, rows, true));
  const N = 100;
  const plain: number[] = [];
  const bits: Float32Array[] = [];
  {
    using t = new EngineTarget(engine, { prompt, newTokens: N, most: 4, verifiers: [], logits: true });
    plain.push(t.first);
    while (plain.length <= N) {
      const v = t.verify([plain.at(-1)!]);
      plain.push(v.predicted[0]!);
      bits.push(v.logits(0));
      t.keep(1);
    }
  }
  using t = new EngineTarget(engine, { prompt, newTokens: N, most: 4, verifiers, logits: true });
  const own: Float32Array[] = [];
  const { tokens, rounds } = decode({
    target: t, draft: new NgramDraft(), gamma: fixedGamma(4), text: [...prompt, t.first], newTokens: N, random: Math.random,
    onLogits: (l) => own.push(l.slice()),
  });
  console.log(rounds.length, rounds.map((r) => `${r.drafted}:${r.accepted}`).join(" "));
  deepEqual(tokens.slice(0, N), plain.slice(1));
  deepEqual(own.slice(0, N), bits);
  for (const v of verifiers) v[Symbol.dispose]();
});
