import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { Engine } from "../../lib/engine/engine.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { ViewModel } from "../../lib/engine/view_model.ts";
import { methods } from "../../lib/policies/registry.ts";
import { budgetMethodNames } from "../../lib/roofline/budget_methods.ts";
import { EngineTarget } from "../../lib/speculative/decode/target.ts";
import { Chooser } from "../../lib/speculative/drafts/chooser.ts";
import { EngineDraft } from "../../lib/speculative/drafts/engine_draft.ts";
import { NgramDraft } from "../../lib/speculative/drafts/ngram_draft.ts";
import { OracleDraft } from "../../lib/speculative/drafts/oracle_draft.ts";
import { policyAt, selfEngine, viewOf } from "../../lib/speculative/drafts/self_draft.ts";
import { ViewDraft } from "../../lib/speculative/drafts/view_draft.ts";
import { embeddedModel, goldenTokens } from "../parity/golden.ts";

const runtime = openRuntime("cpu");
const model = embeddedModel();
const { layers, vocab } = model.spec;
const chooser = new Chooser(undefined, vocab, () => 0);
const PROMPT = goldenTokens.slice(0, 60);
const TEXT = goldenTokens.slice(60);

function fullEngine(logits: "last" | false = false) {
  return new Engine(runtime, model, {
    dtype: "float32",
    attention: "fused",
    maxPositions: 256,
    table: { layers: new Array(layers).fill([]) },
    logits,
  });
}

function draftOf(engine: Engine, most = 4) {
  return new EngineDraft(engine, { prompt: PROMPT, newTokens: 60, most, chooser, seed: 0, isSelf: true });
}

Deno.test("look-up proposes what came after the latest of the longest ends that stood before", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 14 }),
      (all, steps, count) => {
        using draft = new NgramDraft();
        // The text grows by several tokens between two proposals.
        let length = 0;
        for (const step of steps) {
          length = Math.min(all.length, length + step);
          const text = all.slice(0, length);
          deepEqual(draft.propose(text, count).tokens, naive(text, count));
        }
      },
    ),
  );

  function naive(text: readonly number[], count: number): number[] {
    for (const length of [3, 2, 1]) {
      for (let at = text.length - length - 1; at >= 0; at--) {
        const isThere = text.slice(at, at + length).join() === text.slice(-length).join();
        if (isThere) return text.slice(at + length, at + length + Math.min(count, 10));
      }
    }
    return [];
  }
});

Deno.test("an oracle is right as often as it says, and its inner draft works for tokens that are not its own", () => {
  const truth = Array.from({ length: 4000 }, (_, i) => i % 50);
  using draft = new OracleDraft({ truth, rate: 0.7, vocab: 50, seed: 3 });
  let right = 0;
  for (let length = 1; length < 3900; length += 4) {
    const { tokens } = draft.propose(truth.slice(0, length), 4);
    right += tokens.filter((token, i) => token === truth[length + i]).length;
  }
  ok(Math.abs(right / 3900 - 0.7) < 0.03, `${right / 3900}`);
});

Deno.test("a draft that took tokens back drafts on as one that never read them", () => {
  using engine = fullEngine();
  const read = new Map<string, readonly number[]>();
  /** What a new draft proposes after a text. */
  const fresh = (text: readonly number[]) => {
    const key = text.join();
    if (!read.has(key)) {
      using draft = draftOf(engine);
      for (let end = PROMPT.length + 1; end < text.length; end++) {
        draft.propose(text.slice(0, end), 1);
        draft.settle(0);
      }
      read.set(key, draft.propose(text, 3).tokens);
    }
    return read.get(key)!;
  };
  fc.assert(
    fc.property(
      fc.array(fc.record({ count: fc.integer({ min: 1, max: 4 }), kept: fc.nat(4), forced: fc.boolean() }), {
        minLength: 1,
        maxLength: 5,
      }),
      (rounds) => {
        using draft = draftOf(engine);
        let text = [...PROMPT, TEXT[0]!];
        for (const { count, kept, forced } of rounds) {
          const right = TEXT.slice(text.length - PROMPT.length, text.length - PROMPT.length + count);
          const accepted = Math.min(kept, count);
          // The first `accepted` are the text's; what follows is wrong.
          const proposed = right.map((token, i) => i < accepted ? token : (token + 1 + (forced ? 1 : 0)) % vocab);
          deepEqual(draft.propose(text, count, proposed).tokens, proposed);
          draft.settle(accepted);
          text = [...PROMPT, ...TEXT.slice(0, text.length - PROMPT.length + accepted + 1)];
        }
        deepEqual(draft.propose(text, 3).tokens, fresh(text));
      },
    ),
    { numRuns: 12 },
  );
});

Deno.test("a self-draft holds its budget after each round, and tries tokens beyond it", () => {
  for (const method of budgetMethodNames) {
    const policy = policyAt(method, 32, layers, PROMPT.length);
    using target = fullEngine();
    using engine = selfEngine(target, policy, 140, false);
    using draft = draftOf(engine);
    // Room for what the policy keeps at most, and the tokens that are tried; not for the prompt.
    const { kvHeads, headDim } = model.spec;
    const most = Math.max(...Array.from({ length: 140 }, (_, i) => {
      const sizes = policy.keep({ layer: 0, layers, entries: i + 1 });
      return sizes === "all" ? i + 1 : sizes.sink + sizes.heavy + sizes.recent;
    }));
    if (!method.startsWith("pyramid")) {
      ok(draft.memory.cache_bytes <= 2 * 4 * layers * kvHeads * headDim * (most + 7), method);
    }
    let text = [...PROMPT, TEXT[0]!];
    for (const accepted of [0, 4, 1, 4, 3, 2]) {
      const before = [...draft.held];
      const right = TEXT.slice(text.length - PROMPT.length, text.length - PROMPT.length + 4);
      draft.propose(text, 4, right);
      ok(draft.held.every((held, layer) => held >= before[layer]! + 4), method);
      // The last proposed token is not read yet.
      const left = draft.held.map((held) => held - 3 + Math.min(accepted, 3));
      draft.settle(accepted);
      const wanted = left.map((entries, layer) => {
        const sizes = policy.keep({ layer, layers, entries });
        return sizes === "all" ? entries : sizes.sink + sizes.heavy + sizes.recent;
      });
      deepEqual(draft.held, wanted, method);
      text = [...PROMPT, ...TEXT.slice(0, text.length - PROMPT.length + accepted + 1)];
    }
  }
});

Deno.test("a self-draft whose budget is never reached proposes what the target writes", () => {
  for (const method of ["tova", "keydiff", "fix_size_l2", "l2_compress"] as const) {
    using target = fullEngine();
    const policy = policyAt(method, 400, layers, PROMPT.length);
    using engine = selfEngine(target, policy, 140, false);
    using full = draftOf(target);
    using draft = draftOf(engine);
    const text = [...PROMPT, TEXT[0]!];
    deepEqual(draft.propose(text, 4).tokens, full.propose(text, 4).tokens);
  }
});

Deno.test("a view is what a policy keeps, if it is the first and the last entries", () => {
  deepEqual(viewOf(methods.recent_only({ window_size: 24 }), layers, 200), { sink: 0, recent: 25 });
  deepEqual(viewOf(methods.streaming_llm({ start_size: 4, recent_size: 24 }), layers, 200), { sink: 4, recent: 25 });
  equal(viewOf(methods.baseline(), layers, 200), undefined);
  for (const method of budgetMethodNames) {
    const isView = ["recent_only", "streaming_llm"].includes(method);
    equal(viewOf(policyAt(method, 32, layers, 100), layers, 200) !== undefined, isView, method);
  }
});

Deno.test("a view's first step sees what the evicting cache holds after the prompt", () => {
  for (const method of ["recent_only", "streaming_llm"] as const) {
    using target = fullEngine("last");
    const policy = policyAt(method, 32, layers, PROMPT.length);
    using engine = selfEngine(target, policy, 140, true);
    using evicting = engine.sequence([{ tokens: PROMPT.length, times: 1 }, { tokens: 1, times: 2 }], 0);
    evicting.forward(PROMPT, 0);
    evicting.evict();
    evicting.forward([TEXT[0]!], 0);
    const wanted = evicting.logits();

    using view = new ViewModel(target, viewOf(policy, layers, 140)!, "last");
    using seeing = target.sequence([{ tokens: PROMPT.length, times: 1 }, { tokens: 1, times: 9 }], 0);
    seeing.forward(PROMPT, 0);
    seeing.evict();
    seeing.forward([TEXT[0]!], 0);
    const full = seeing.logits();
    seeing.evict();
    seeing.rewind(1);
    const pass = seeing.addPass(view, 1);
    seeing.run(pass, [TEXT[0]!]);
    const seen = seeing.logits();
    const distance = (a: Float32Array, b: Float32Array) =>
      a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
    ok(distance(seen, wanted) < 1e-3, `${method}: ${distance(seen, wanted)}`);
    ok(distance(seen, full) > 0.05, `${method}: the full cache is far away`);
  }
});

Deno.test("a view that is wider than the text sees all of it", () => {
  using engine = fullEngine("last");
  using view = new ViewModel(engine, { sink: 8, recent: 100 }, "last");
  using sequence = engine.sequence([{ tokens: 12, times: 1 }, { tokens: 1, times: 9 }], 0);
  sequence.forward(PROMPT.slice(0, 12), 0);
  sequence.evict();
  sequence.forward([PROMPT[12]!], 0);
  const wanted = sequence.logits();
  sequence.evict();
  sequence.rewind(1);
  sequence.run(sequence.addPass(view, 1), [PROMPT[12]!]);
  const seen = sequence.logits();
  ok(seen.every((logit, i) => Math.abs(logit - wanted[i]!) < 1e-3));
});

Deno.test("a view leaves the target's cache as it was", () => {
  using engine = fullEngine();
  using view = new ViewModel(engine, { sink: 4, recent: 16 }, false);
  using target = new EngineTarget(engine, { prompt: PROMPT, newTokens: 20, room: 8, verifiers: [], logits: false });
  const text = [...PROMPT, TEXT[0]!];
  const before = target.verify([text.at(-1)!]).predicted;
  target.keep(0);
  const held = [...target.sequence.cache.held];
  using draft = new ViewDraft(target.sequence, view, chooser);
  equal(draft.propose(text, 4).tokens.length, 4);
  deepEqual(target.sequence.cache.held, held);
  deepEqual(target.verify([text.at(-1)!]).predicted, before);
  notDeepEqual(draft.memory.kind, "second cache");
});

Deno.test("tokens that the target does not have are not proposed", () => {
  const small = new Chooser(undefined, 100, () => 0);
  equal(small.choose({ argmax: 100, logits: () => new Float32Array() }), undefined);
  equal(small.choose({ argmax: 99, logits: () => new Float32Array() })?.token, 99);
  const sampled = new Chooser({ temperature: 1, topP: 1 }, 2, () => 0.999);
  const choice = sampled.choose({ argmax: 0, logits: () => Float32Array.of(0, 0, 50) })!;
  deepEqual([choice.token, [...choice.distribution!]], [1, [0.5, 0.5]]);
});
