/** A text read under a policy by the engine: what is compared with a reference. */
import { tabulate } from "../../lib/cache/schedule.ts";
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import type { Positions } from "../../lib/engine/numbering.ts";

/** Seed of random choices. */
export const SEED = 7;

/** A text read under a policy. */
export interface Reading {
  readonly model: ModelFolder;
  readonly policy: Policy;
  readonly positions: Positions;
  readonly skip: readonly number[];
  /** The last one is only predicted. */
  readonly ids: readonly number[];
  /** Tokens of the passes before the steps. */
  readonly prompts: readonly number[];
}

/** Results of a run. */
export interface RunResult {
  /** NLL of the token that follows each pass, nats. */
  readonly nll: readonly number[];
  /** Pass → layer → head → the tokens whose entries it holds, ascending; no heads where the method never acts. */
  readonly held: readonly (readonly (readonly Int32Array[])[])[];
  /** Time of a step, ms, the token on the host. */
  readonly ms: number;
}

/** Tokens of each pass: the prompts, and steps to the end of the text. */
export function passesOf({ ids, prompts }: Pick<Reading, "ids" | "prompts">): number[] {
  const steps = ids.length - 1 - prompts.reduce((a, b) => a + b, 0);
  return [...prompts, ...new Array<number>(steps).fill(1)];
}

/** One run: each token's NLL, and what is held after it. */
export function run(
  runtime: Runtime,
  reading: Reading,
  form: Pick<EngineOptions, "dtype" | "attention" | "kernels">,
): RunResult {
  const { model, policy, positions, ids, prompts, skip } = reading;
  const passes = passesOf(reading);
  const passGroups = [
    ...prompts.map((tokens) => ({ tokens, times: 1 })),
    { tokens: 1, times: passes.length - prompts.length },
  ];
  using engine = new Engine(runtime, model, {
    ...form,
    positions,
    maxPositions: ids.length,
    table: tabulate(policy, model.spec, skip, [passGroups]),
    score: policy.score,
    attentionUse: policy.attention,
    trace: true,
  });
  using sequence = engine.sequence(passGroups, SEED);
  const nll: number[] = [], held: Int32Array[][][] = [];
  let time = 0, at = 0;
  for (const tokens of passes) {
    const start = performance.now();
    sequence.forward(ids.slice(at, at + tokens), ids[at + tokens]!);
    sequence.evict();
    nll.push(sequence.read().nll);
    if (nll.length > prompts.length) time += performance.now() - start;
    held.push(sequence.cache.heldPositions());
    at += tokens;
  }
  return { nll, held, ms: time / (passes.length - prompts.length) };
}
