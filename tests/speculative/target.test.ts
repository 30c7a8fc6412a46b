import { deepEqual, equal, ok } from "node:assert/strict";
import { Engine } from "../../lib/engine/engine.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { plainDecode } from "../../lib/speculative/child/plain_decode.ts";
import { decode } from "../../lib/speculative/decode/decode.ts";
import { fixedGamma } from "../../lib/speculative/decode/gamma.ts";
import { EngineTarget, roomFor } from "../../lib/speculative/decode/target.ts";
import { OracleDraft } from "../../lib/speculative/drafts/oracle_draft.ts";
import { embeddedModel, goldenTokens } from "../parity/golden.ts";

const NEW = 30;

Deno.test("a target that verifies with a sequence's own passes writes what plain decoding writes, bit for bit", () => {
  const model = embeddedModel();
  const prompt = goldenTokens.slice(0, 60), room = roomFor(5);
  using engine = new Engine(openRuntime("cpu"), model, {
    dtype: "float32",
    attention: "fused",
    maxPositions: 256,
    table: { layers: new Array(model.spec.layers).fill([]) },
    logits: "last",
  });
  const plain: Float32Array[] = [];
  const writing = { prompt, warmup: 0, newTokens: NEW, seed: 1, room };
  const { tokens } = plainDecode(
    engine,
    { ...writing, onLogits: (logits: Float32Array) => plain.push(logits.slice()) },
    undefined,
    Math.random,
  );
  const options = { prompt, newTokens: NEW, room, verifiers: [], logits: true, rows: [2, 3, 5] };
  for (const rate of [0, 0.6, 1]) {
    using target = new EngineTarget(engine, options);
    const draft = new OracleDraft({ truth: [...prompt, ...tokens, ...tokens], rate, vocab: model.spec.vocab, seed: 3 });
    const bits: Float32Array[] = [];
    const { tokens: written, rounds } = decode({
      target,
      draft,
      gamma: fixedGamma(4),
      text: [...prompt, target.first],
      newTokens: NEW - 6,
      random: Math.random,
      onLogits: (logits) => bits.push(logits.slice()),
    });
    const count = Math.min(written.length, NEW - 6);
    deepEqual([target.first, ...written.slice(0, count)], tokens.slice(0, count + 1), `${rate}`);
    deepEqual(bits.slice(0, count), plain.slice(0, count), `${rate}`);
    equal(target.passes.get(5), rounds.length);
    const accepted = rounds.reduce((sum, { accepted }) => sum + accepted, 0);
    ok(rate === 0 ? accepted === 0 : accepted > 0, `${rate}: ${accepted}`);
  }
});
