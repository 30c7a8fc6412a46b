import assert from "node:assert/strict";
import { isFiniteSample, notesOf } from "../../lib/report/results/notes.ts";
import { inventSample } from "./_invent.ts";

const lengths = { max_tokens: 4, prompt_tokens: 2, max_new_tokens: 2 };
const record = { method: "streaming_llm", dropped: { quality: 2, speed: 1 } };
const notes = (...samples: Parameters<typeof inventSample>[1][]) =>
  notesOf(record, samples.map((given, sample) => inventSample("streaming_256", { sample, ...given })), lengths);

Deno.test("notesOf() says which figures are not finite, in which sample, and from which step on", () => {
  assert.deepEqual(notes({}, {}), []);
  assert.deepEqual(notes({}, { nll: [3, NaN, 2, NaN], perplexity: NaN, accuracy: NaN }), [
    "perplexity and accuracy are not finite in sample 2: 2 of 4 NLLs are NaN, the first at step 1",
  ]);
  assert.deepEqual(notes({ nll: [3, 2, Infinity], perplexity: Infinity }), [
    "perplexity is not finite in sample 1: 1 of 3 NLLs is infinite, at step 2",
  ]);
  assert.deepEqual(notes({ nll: [Infinity, NaN], perplexity: NaN, accuracy: NaN }), [
    "perplexity and accuracy are not finite in sample 1: 2 of 2 NLLs are NaN or infinite, the first at step 0",
  ]);
  assert.deepEqual(notes({ nll: [2000, 2000], perplexity: Infinity }), [
    "perplexity is not finite in sample 1: exp of the mean NLL is too large a number",
  ]);
  assert.deepEqual(notes({ tpot: NaN }), ["tpot is not finite in sample 1"]);
});

Deno.test("notesOf() says that VRAM was measured in some samples only; in none is no news of a sample", () => {
  assert.deepEqual(notes({ peak_vram_gb: 3 }, { peak_vram_gb: null }, { peak_vram_gb: 3 }), [
    "peak VRAM was measured in 2 of 3 samples, so it has no mean",
  ]);
  assert.deepEqual(notes({ peak_vram_gb: null }, { peak_vram_gb: null }), []);
});

Deno.test("isFiniteSample() looks at every averaged figure except VRAM, which may be unmeasured", () => {
  assert.ok(isFiniteSample(inventSample("baseline", { peak_vram_gb: null })));
  for (const figure of ["ttft", "tpot", "throughput", "perplexity", "accuracy"]) {
    for (const value of [NaN, Infinity]) {
      assert.ok(!isFiniteSample(inventSample("baseline", { [figure]: value })), figure);
    }
  }
});

Deno.test("figures that were not asked for are not missed: those that were are", () => {
  const noSpeed = { ttft: NaN, tpot: NaN, throughput: NaN, peak_vram_gb: null };
  const noQuality = { perplexity: NaN, accuracy: NaN, nll: [] };
  for (const [passes, given, broken] of [["quality", noSpeed, "accuracy"], ["speed", noQuality, "tpot"]] as const) {
    const sample = inventSample("streaming_256", given);
    assert.ok(isFiniteSample(sample, passes));
    assert.ok(!isFiniteSample(sample, "both"));
    assert.ok(!isFiniteSample({ ...sample, [broken]: NaN }, passes));
    assert.deepEqual(notesOf(record, [sample], { ...lengths, passes }), []);
    assert.equal(notesOf(record, [sample], { ...lengths, passes: "both" }).length, 1);
    assert.match(
      notesOf(record, [{ ...sample, [broken]: NaN }], { ...lengths, passes })[0]!,
      RegExp(`^${broken} is not`),
    );
  }
});

Deno.test("notesOf() does not speak of what a pass kept that was not made", () => {
  const kept = { method: "streaming_llm", dropped: { quality: 0, speed: 0 } };
  assert.deepEqual(notesOf(kept, [], { ...lengths, passes: "speed" }), [
    "nothing was dropped: it keeps all 3 tokens of the speed pass",
  ]);
  assert.deepEqual(notesOf({ ...kept, dropped: { quality: 3, speed: 0 } }, [], { ...lengths, passes: "quality" }), []);
});
