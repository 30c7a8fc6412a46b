/**
 * Verification of several tokens in one pass: the engine with the CUDA source on the CPU, every token's logits against
 * those of single steps, bit for bit.
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { tabulate } from "../../lib/cache/schedule.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import type { Verification } from "../../lib/engine/verification.ts";
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
const TEXT = 40, PROMPT = 6;

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

/** Reads a text with passes of several tokens, of which some are wrong and are taken back. Returns the passes' sizes. */
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
