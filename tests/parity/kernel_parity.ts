/**
 * Decode steps with the project's own kernels against ONNX Runtime's, on one device: every method on the embedded
 * model, and every family's tiny model. Without a GPU the project's are those in plain loops of
 * tests/reference/step.ts.
 */
import { tabulate } from "../../lib/cache/schedule.ts";
import type { FloatType } from "../../lib/util/dtype.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import type { Positions } from "../../lib/engine/numbering.ts";
import { kernelObstacle } from "../../lib/engine/kernel_choice.ts";
import { embeddedModel, goldenTokens } from "./golden.ts";
import { ReferenceKernels } from "../reference/step.ts";

/** One comparison. */
export interface KernelDifference {
  readonly name: string;
  /** Why the project's own kernels cannot do it; then all else is missing. */
  readonly obstacle?: string;
  /** Largest difference of a token's NLL, nats, up to the first choice that fell differently. */
  readonly worst: number;
  /** The same over all tokens. */
  readonly worstOfAll: number;
  /** Heads of layers that hold other entries in the end, of how many: a tie, or next to one, fell the other way. */
  readonly differing: readonly [number, number];
  /** Time of a step, ms, the token on the host. */
  readonly ms: { readonly own: number; readonly ort: number };
  readonly ok: boolean;
}

/** Tokens of the embedded model's prompt, and steps on a GPU and on a CPU. */
const PROMPT = 96, STEPS = { cuda: 204, cpu: 60 };
/** Entries kept. */
const SIZE = 64;
/**
 * Heads that may hold other entries in the end, as a share. A choice falls differently if two scores differ by rounding
 * only: snapkv_lite's averages of neighbours were seen to be 2.8492307 and 2.8492309. What follows is another cache, in
 * which more choices fall differently.
 */
const TIED = 0.1;

/** A text read under a policy. */
export interface Reading {
  readonly model: ModelFolder;
  readonly policy: Policy;
  readonly positions: Positions;
  readonly skip: readonly number[];
  readonly ids: readonly number[];
  /** Tokens of the passes before the steps. */
  readonly prompts: readonly number[];
}

/** What is compared: one run of each. */
interface Case extends Reading {
  readonly name: string;
  /** Types that the project's kernels compute in, and how far they may be off ONNX Runtime's in float32, nats. */
  readonly types: Readonly<Partial<Record<FloatType, number>>>;
}

/** Every method at about {@linkcode SIZE} entries. */
function policies(): Record<string, Policy> {
  const half = SIZE / 2;
  return {
    baseline: methods.baseline(),
    recent_only: methods.recent_only({ window_size: SIZE }),
    streaming_llm: methods.streaming_llm({ start_size: 4, recent_size: SIZE - 4 }),
    l2_compress: methods.l2_compress({ keep_ratio: 0.8, prune_after: SIZE }),
    fix_size_l2: methods.fix_size_l2({ fix_kv_size: SIZE, keep_ratio: 0.5 }),
    "fix_size_l2, high": methods.fix_size_l2({ fix_kv_size: SIZE, keep_ratio: 0.5, strategy: "keep_high" }),
    "fix_size_l2, random": methods.fix_size_l2({ fix_kv_size: SIZE, keep_ratio: 0.5, strategy: "random" }),
    h2o_l2: methods.h2o_l2({ start_size: 4, heavy_hitter_size: half - 4, recent_size: half }),
    snapkv_lite: methods.snapkv_lite({ observation_window: 16, keep_size: SIZE }),
    pyramid_kv: methods.pyramid_kv({ base_size: SIZE, min_size: 16 }),
    adaptive_l2: methods.adaptive_l2({ target_size: SIZE, soft_limit: half, hard_limit: 2 * SIZE }),
    h2o: methods.h2o({ heavy_size: half, recent_size: half }),
    tova: methods.tova({ cache_size: SIZE }),
    snapkv: methods.snapkv({ cache_size: SIZE, observation_window: 16 }),
    "snapkv, max": methods.snapkv({ cache_size: SIZE, observation_window: 16, pooling: "max", pooling_kernel: 7 }),
    pyramid_snapkv: methods.pyramid_snapkv({ cache_size: SIZE, observation_window: 16, beta: 4 }),
    keydiff: methods.keydiff({ cache_size: SIZE, recent_size: 16 }),
  };
}

function* cases(device: "cuda" | "cpu"): Generator<Case> {
  const model = embeddedModel();
  const ids = goldenTokens.slice(0, PROMPT + STEPS[device] + 1);
  // The first layers' keys are their tokens': entries of the same token are tied.
  const shared = { model, ids, prompts: [PROMPT], skip: [0, 1], types: { float32: 1e-4 } };
  for (const [name, policy] of Object.entries(policies())) {
    yield { name, policy, positions: "absolute", ...shared };
    if (["streaming_llm", "h2o_l2", "snapkv"].includes(name)) {
      yield { name: `${name}@cache`, policy, positions: "cache", ...shared };
    }
  }
  const folder = new URL("../fixtures/tiny/", import.meta.url);
  for (const family of [...Deno.readDirSync(folder)].map(({ name }) => name).sort()) {
    const model = openModelFolder(new URL(family, folder).pathname);
    const { spec } = model;
    const ids = Array.from({ length: 41 }, (_, i) => (5 + 7 * i) % spec.vocab);
    const shared = { model, ids, prompts: [13], skip: [] };
    const own = { float32: 1e-4, ...(device === "cuda" ? { float16: 2e-2, bfloat16: 1e-1 } : {}) };
    yield { name: `${family}, baseline`, policy: methods.baseline(), positions: "absolute", types: own, ...shared };
    const h2o = methods.h2o({ heavy_size: 6, recent_size: 6 });
    yield { name: `${family}, h2o`, policy: h2o, positions: "absolute", types: { float32: 1e-4 }, ...shared };
    if (!spec.rope || spec.rope.growth) continue;
    const norms = methods.h2o_l2({ start_size: 1, heavy_hitter_size: 6, recent_size: 6 });
    yield { name: `${family}, h2o_l2@cache`, policy: norms, positions: "cache", types: { float32: 1e-4 }, ...shared };
  }
}

/** Results of a run. */
export interface RunResult {
  /** NLL of the token that follows each pass, nats. */
  readonly nll: readonly number[];
  /** Pass → head of a layer → the tokens whose entries it holds. */
  readonly held: readonly (readonly Int32Array[])[];
  /** Time of a step, ms, the token on the host. */
  readonly ms: number;
}

/** One run: each token's NLL, and what is held after it. */
export function run(
  runtime: Runtime,
  { model, policy, positions, ids, prompts, skip }: Reading,
  form: Pick<EngineOptions, "dtype" | "attention" | "kernels">,
): RunResult {
  const steps = ids.length - 1 - prompts.reduce((a, b) => a + b, 0);
  const passGroups = [...prompts.map((tokens) => ({ tokens, times: 1 })), { tokens: 1, times: steps }];
  using engine = new Engine(runtime, model, {
    ...form,
    positions,
    maxPositions: ids.length,
    table: tabulate(policy, model.spec, skip, [passGroups]),
    score: policy.score,
    attentionUse: policy.attention,
    trace: true,
  });
  using sequence = engine.sequence(passGroups, 7);
  const nll: number[] = [], held: Int32Array[][] = [];
  let time = 0;
  for (let at = 0; at < ids.length - 1;) {
    const tokens = prompts[nll.length] ?? 1;
    const start = performance.now();
    sequence.forward(ids.slice(at, at + tokens), ids[at + tokens]!);
    sequence.evict();
    nll.push(sequence.read().nll);
    if (nll.length > prompts.length) time += performance.now() - start;
    held.push(sequence.cache.heldPositions().flat());
    at += tokens;
  }
  return { nll, held, ms: time / steps };
}

const isSame = (a: Int32Array, b: Int32Array) => a.length === b.length && a.every((x, i) => x === b[i]);

/** How far one run is from another. */
export function distance(ours: RunResult, theirs: RunResult, limit: number) {
  const off = ours.nll.map((nll, i) => Math.abs(nll - theirs.nll[i]!));
  const differs = ours.held.map((rows, i) => rows.filter((row, j) => !isSame(row, theirs.held[i]![j]!)).length);
  const parts = differs.findIndex((heads) => heads > 0);
  const [differing, heads] = [differs.at(-1)!, ours.held.at(-1)!.length];
  // What a pass holds afterwards is seen by the next.
  const worst = Math.max(...off.slice(0, parts < 0 ? off.length : parts + 1));
  return {
    worst,
    worstOfAll: Math.max(...off),
    differing: [differing, heads] as const,
    ok: worst <= limit && differing <= TIED * heads && off.every(Number.isFinite),
  };
}

/** All comparisons with `wanted` in their name, one after the other. */
export function* kernelDifferences(runtime: Runtime, wanted = ""): Generator<KernelDifference> {
  const { device: { kind } } = runtime;
  for (const one of cases(kind)) {
    if (!one.name.includes(wanted)) continue;
    const { model, policy: { score }, ids } = one;
    const obstacle = kernelObstacle(model, { device: "cuda", dtype: "float32", maxPositions: ids.length, score });
    if (obstacle !== undefined) {
      yield { name: one.name, obstacle, worst: 0, worstOfAll: 0, differing: [0, 0], ms: { own: 0, ort: 0 }, ok: true };
      continue;
    }
    const ort = run(runtime, one, { dtype: "float32", attention: "explicit", kernels: "ort" });
    const kernels = kind === "cuda" ? "own" : () => new ReferenceKernels();
    for (const [dtype, limit] of Object.entries(one.types) as [FloatType, number][]) {
      const own = run(runtime, one, { dtype, attention: "explicit", kernels });
      yield { name: `${one.name}, ${dtype}`, ...distance(own, ort, limit), ms: { own: own.ms, ort: ort.ms } };
    }
  }
}
