/**
 * Verification of several tokens in one pass: the engine with the CUDA source on the CPU, every token's logits against
 * those of single steps, bit for bit.
 */
import { deepEqual, equal, throws } from "node:assert/strict";
import { tabulate } from "../../lib/cache/schedule.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { CudaRowKernels } from "../../lib/kernels/row_kernels.ts";
import { CudaStepKernels } from "../../lib/kernels/step_kernels.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { CpuDevice } from "../../lib/ort/cpu_device.ts";
import { methods } from "../../lib/policies/registry.ts";
import type { FloatType } from "../../lib/util/dtype.ts";
import { CpuLauncher, hasCompiler } from "../kernels/_cpu_launcher.ts";
import { runtime } from "../model/_models.ts";
import { embeddedModel } from "../parity/golden.ts";

const ignore = !hasCompiler;
const tiny = (name: string) => openModelFolder(new URL(`../fixtures/tiny/${name}`, import.meta.url).pathname);
const idsFor = ({ spec: { vocab } }: ModelFolder, tokens: number) =>
  Array.from({ length: tokens }, (_, i) => (5 + 7 * i) % vocab);
const TEXT = 30, PROMPT = 6;

/** An engine whose kernels run on the CPU. */
function engineFor(model: ModelFolder, options: Partial<EngineOptions> = {}) {
  const device = new CpuDevice(), policy = methods.baseline();
  return new Engine(runtime(), model, {
    dtype: "float32",
    attention: "explicit",
    maxPositions: TEXT + 16,
    table: tabulate(policy, model.spec, [], [[{ tokens: TEXT + 16, times: 1 }]]),
    threads: 1,
    logits: true,
    kernels: (dtype: FloatType) => new CudaStepKernels(device, dtype, new CpuLauncher(dtype)),
    rowKernels: (dtype: FloatType) => new CudaRowKernels(device, dtype, new CpuLauncher(dtype)),
    verifies: true,
    ...options,
  });
}

const GROUPS = [{ tokens: PROMPT, times: 1 }, { tokens: 1, times: TEXT - PROMPT + 16 }];

/** Logits after each token of a text but the prompt's, by single steps. */
function plain(engine: Engine, ids: readonly number[]): Float32Array[] {
  using sequence = engine.sequence(GROUPS, 0);
  sequence.forward(ids.slice(0, PROMPT), 0);
  sequence.evict();
  return ids.slice(PROMPT).map((id) => {
    sequence.forward([id], 0);
    sequence.evict();
    sequence.read();
    return sequence.logits();
  });
}

const bits = (logits: Float32Array) => new Uint32Array(logits.buffer, logits.byteOffset, logits.length);
const argmax = (logits: Float32Array) => logits.indexOf(Math.max(...logits));

/** Reads a text with passes of several tokens, of which some are wrong and are taken back. */
function compare(engine: Engine, ids: readonly number[], sizes: readonly number[]): void {
  const expected = plain(engine, ids), { vocab } = engine.model.spec;
  using sequence = engine.sequence(GROUPS, 0, sizes);
  const { verification } = sequence;
  sequence.forward(ids.slice(0, PROMPT), 0);
  sequence.evict();
  for (let at = PROMPT, pass = 0; at < ids.length; pass++) {
    const tokens = Math.min(1 + (5 * pass + 3) % verification.maxRows, ids.length - at);
    // From the first wrong one on, nothing is accepted.
    const wrong = pass % 3 === 1 ? Math.floor(tokens / 2) : tokens;
    verification.run(ids.slice(at, at + tokens).map((id, i) => i < wrong ? id : (id + 1) % vocab));
    const logits = verification.logits(), predicted = verification.argmaxes();
    equal(logits.length, tokens * vocab);
    for (let i = 0; i < wrong; i++) {
      const row = logits.slice(i * vocab, (i + 1) * vocab);
      deepEqual(bits(row), bits(expected[at - PROMPT + i]!), `pass ${pass}, token ${i} of ${tokens}`);
      equal(predicted[i], argmax(row));
    }
    verification.accept(wrong);
    at += wrong;
    if (pass % 4 === 2 && at < ids.length) {
      // Steps go on from what was accepted.
      sequence.forward([ids[at]!], 0);
      sequence.evict();
      sequence.read();
      deepEqual(bits(sequence.logits()), bits(expected[at - PROMPT]!), `a step after pass ${pass}`);
      at++;
    }
  }
}

for (const name of ["gpt-neox-sequential", "llama-gqa", "qwen3", "gpt2", "opt", "phi", "gemma"]) {
  Deno.test({
    name: `${name}: every token of a verification has the bits of a step`,
    ignore,
    fn() {
      const model = tiny(name);
      using engine = engineFor(model);
      compare(engine, idsFor(model, TEXT), [2, 5, 16]);
    },
  });
}

Deno.test({
  name: "the embedded model in float16: every token of a verification has the bits of a step",
  ignore,
  fn() {
    const model = embeddedModel();
    using engine = engineFor(model, { dtype: "float16" });
    compare(engine, idsFor(model, PROMPT + 5), [3]);
  },
});

Deno.test({
  name: "keys that are rotated when they are read: every token of a verification has the bits of a step",
  ignore,
  fn() {
    const model = tiny("llama-gqa");
    using engine = engineFor(model, { positions: "cache" });
    compare(engine, idsFor(model, TEXT), [4, 12]);
  },
});

Deno.test({
  name: "a verification takes ids that lie on the device, and says what it cannot do",
  ignore,
  fn() {
    const model = tiny("llama-gqa"), ids = idsFor(model, TEXT);
    using engine = engineFor(model);
    using sequence = engine.sequence(GROUPS, 0, [4, 2, 4]);
    const { verification } = sequence;
    deepEqual([verification.maxRows, verification.onePass, verification.bitEqual], [4, true, true]);
    sequence.forward(ids.slice(0, PROMPT), 0);
    sequence.evict();
    verification.run(ids.slice(PROMPT, PROMPT + 3));
    const { memory, offset } = verification.ids, found = verification.argmaxes();
    throws(() => verification.run([1]), /were not accepted yet/);
    throws(() => verification.accept(4), /^RangeError: Cannot accept 4 tokens: the last pass had 3 that are open$/);
    verification.accept(0);
    throws(() => verification.accept(0), /had 0 that are open/);
    engine.runtime.device.write(memory, offset, BigInt64Array.from(ids.slice(PROMPT, PROMPT + 3), BigInt));
    verification.run(3);
    deepEqual(verification.argmaxes(), found);
    verification.accept(3);
    for (const wrong of [[], [1, 2, 3, 4, 5]]) throws(() => verification.run(wrong), /: 1 to 4 are possible$/);
    equal(sequence.cache.held[0], PROMPT + 3);
    // 46 slots: as many as the text and the groups of passes have room for.
    while (sequence.cache.held[0]! + 4 <= TEXT + 16) {
      verification.run([1, 2, 3, 4]);
      verification.accept(4);
    }
    throws(
      () => verification.run([1, 2, 3, 4]),
      /^RangeError: Cannot verify 4 tokens in a pass of 4: layer 0 holds 45 of 46/,
    );
    throws(() => engine.sequence(GROUPS, 0, [17]), /^RangeError: Cannot verify 17 tokens in a pass/);
    throws(() => engine.sequence(GROUPS, 0).verification, /^TypeError: Cannot verify tokens: the sequence was made/);
  },
});

Deno.test("without kernels for several tokens, steps verify: as many numbers, the same bits", () => {
  const model = tiny("llama-gqa"), ids = idsFor(model, TEXT);
  using engine = engineFor(model, { kernels: "ort", rowKernels: undefined });
  compare(engine, ids, [2, 5]);
  using sequence = engine.sequence(GROUPS, 0, [3]);
  const { verification } = sequence;
  deepEqual([verification.onePass, verification.reason], [false, "ONNX Runtime's kernels run the steps"]);
  sequence.forward(ids.slice(0, PROMPT), 0);
  sequence.evict();
  engine.runtime.device.write(verification.ids.memory, 0, BigInt64Array.of(3n, 4n));
  verification.run(2);
  const logits = new Float32Array(2 * model.spec.vocab);
  engine.runtime.device.read(verification.logitsMemory, 0, logits);
  deepEqual(logits, verification.logits());
  throws(() => verification.run([1]), /were not accepted yet/);
  verification.accept(1);
  equal(sequence.cache.held[0], PROMPT + 1);
});

Deno.test("a method that evicts cannot verify, and says why", () => {
  const model = tiny("llama-gqa"), policy = methods.recent_only({ window_size: 8 });
  const table = tabulate(policy, model.spec, [], [GROUPS]);
  using engine = engineFor(model, { kernels: "ort", rowKernels: undefined, table });
  throws(() => engine.sequence(GROUPS, 0, [3]), /^TypeError: Cannot verify tokens: the method evicts/);
});
