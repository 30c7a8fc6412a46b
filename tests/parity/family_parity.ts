/**
 * Models of every family, on one device: logits against transformers', texts longer than windows and than RoPE's own
 * length, and methods, against the CPU's float32. Kernels of a step are ONNX Runtime's and, where possible, the
 * project's.
 */
import type { FloatType } from "../../lib/util/dtype.ts";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import { fusedObstacle } from "../../lib/model/graph/attention/fused.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { shortestWindow } from "../../lib/model/spec.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import { featuresOf, type Score } from "../../lib/policies/score.ts";
import { methods } from "../../lib/policies/registry.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import type { Positions } from "../../lib/engine/numbering.ts";
import { kernelObstacle } from "../../lib/engine/kernel_choice.ts";
import { distance, type Reading, run, type RunResult } from "./kernel_parity.ts";
import { ReferenceKernels } from "../reference/step.ts";
import { asReference, goldenOf, most, TINY } from "../model/_golden_logits.ts";
import { farthest, logitsOfEach } from "../model/_models.ts";
import { attempt, type Outcome, within } from "./outcome.ts";

/** Names of all models. */
export const FAMILIES = [...Deno.readDirSync(TINY)].map(({ name }) => name).sort();

/**
 * How far logits may be off, of the largest. A plain decoder in float64 that rounds weights, products, norms and sums to the
 * type is off by up to 3.4e-3 in float16 and 2.9e-2 in bfloat16 (qwen2-windows); a part left out, by far more.
 */
const LOGITS = { float32: 1e-4, float16: 2e-2, bfloat16: 6e-2 } as const;
/**
 * How far a token's NLL may be off, nats: for half precision under methods that do not choose by numbers. Nudging
 * weights by up to a rounding of the type, with everything in float32, moves one by up to 9.1e-2 and 4.8e-1
 * (llama-dynamic): twice that.
 */
const NLL = { float32: 1e-4, float16: 2e-1, bfloat16: 1 } as const;
/** Tokens of a text beyond windows and RoPE's own length. The models' tables end at 128. */
const LONG = 120;

/** How a model is computed. */
interface Form extends Required<Pick<EngineOptions, "kernels">> {
  readonly dtype: FloatType;
  readonly attention: AttentionForm;
  readonly title: string;
}

/**
 * All forms that a device has for a reading. The project's kernels have one form of attention, whatever a prompt's pass
 * has.
 */
function formsOf(
  { device: { kind } }: Runtime,
  model: ModelFolder,
  maxPositions: number,
  { positions, score }: { readonly positions?: Positions; readonly score?: Score | undefined } = {},
): Form[] {
  const shows = positions === "cache" || score !== undefined && featuresOf(score).has("attention");
  const types = kind === "cuda" ? ["float32", "float16", "bfloat16"] as const : ["float32"] as const;
  return types.flatMap((dtype) => {
    const forms = (["fused", "explicit"] as const)
      .filter((form) =>
        form === "explicit" || !shows && !fusedObstacle(model.spec, { dtype, device: kind, maxPositions })
      );
    const own = kernelObstacle(model, { device: "cuda", dtype, maxPositions, score }) === undefined;
    return [
      ...forms.map((attention) => ({ attention, kernels: "ort" as const })),
      ...(own
        ? [{ attention: forms[0]!, kernels: kind === "cuda" ? "own" as const : () => new ReferenceKernels() }]
        : []),
    ].map((form) => ({
      ...form,
      dtype,
      title: `${dtype} ${form.attention} ${form.kernels === "ort" ? "ort" : "own"}`,
    }));
  });
}

/** Distinct tokens, as long as the vocabulary lasts: in a first layer, keys of the same token have the same norm. */
const textOf = ({ spec: { vocab } }: ModelFolder, tokens: number) =>
  Array.from({ length: tokens }, (_, i) => (5 + 7 * i) % vocab);

/** Whether a longer text is read differently from a short one. */
const dependsOnLength = ({ spec }: ModelFolder) => spec.rope?.growth !== undefined || shortestWindow(spec) < LONG;

/** Ways of cutting a text into passes. */
const cuts = (tokens: number) => ({
  prefill: [tokens],
  stepwise: new Array<number>(tokens).fill(1),
  chunked: [tokens - 35, 1, 1, 20, 1, 12],
});

/** Logits of every token against transformers', the CPU's beyond the length of those. */
function* logits(runtime: Runtime, cpu: Runtime, name: string): Generator<Outcome> {
  const model = asReference(openModelFolder(new URL(name, TINY).pathname), name);
  const compared = (
    ids: readonly number[],
    runs: Readonly<Record<string, readonly [passes: readonly number[], logits: readonly Float32Array[]]>>,
    { dtype, attention, kernels }: Form,
  ) => {
    const ways = Object.values(runs).map(([passes]) => passes);
    const got = logitsOfEach(model, ids, ways, attention, { runtime, dtype, kernels });
    const off = Object.entries(runs).map(([how, [, logits]], i) =>
      [how, farthest(got[i]!, logits) / Math.max(1, most(logits))] as const
    );
    return within(LOGITS[dtype], Object.fromEntries(off));
  };
  const { ids, runs } = goldenOf(name);
  for (const form of formsOf(runtime, model, ids.length)) {
    yield attempt(`${name}, logits, ${form.title}`, () => compared(ids, runs, form));
  }
  if (!dependsOnLength(model)) return;
  const long = textOf(model, LONG), ways = cuts(LONG);
  const expected = logitsOfEach(model, long, Object.values(ways), "explicit", { runtime: cpu, kernels: "ort" });
  const theirs = Object.fromEntries(
    Object.entries(ways).map(([how, passes], i) => [how, [passes, expected[i]!] as const]),
  );
  for (const form of formsOf(runtime, model, LONG)) {
    yield attempt(`${name}, logits of ${LONG} tokens, ${form.title}`, () => compared(long, theirs, form));
  }
}

/** Readings of a model under methods, by name; `exact` ones choose by numbers, in which half precision's may be tied. */
function readings(model: ModelFolder): Record<string, Reading & { readonly exact: boolean }> {
  const baseline = methods.baseline();
  const streaming = methods.streaming_llm({ start_size: 4, recent_size: 12 });
  const norms = methods.fix_size_l2({ fix_kv_size: 16, keep_ratio: 0.5 });
  const h2o = methods.h2o({ heavy_size: 8, recent_size: 8 });
  const reading = (policy: Reading["policy"], tokens = 41, positions: Positions = "absolute") => ({
    ...{ model, policy, positions, skip: [], ids: textOf(model, tokens), prompts: [21, 5] },
    exact: policy === norms || policy === h2o,
  });
  const long = dependsOnLength(model);
  return {
    baseline: reading(baseline),
    streaming_llm: reading(streaming, long ? LONG : 41),
    fix_size_l2: reading(norms),
    h2o: reading(h2o),
    ...(model.spec.rope
      ? {
        "streaming_llm@cache": reading(streaming, long ? LONG : 41, "cache"),
        "fix_size_l2@cache": reading(norms, 41, "cache"),
      }
      : {}),
    ...(long ? { "streaming_llm@seed": reading(streaming, LONG, "seed") } : {}),
  };
}

/** Methods against the CPU's float32, each token's NLL up to the first choice that differs. */
function* underMethods(runtime: Runtime, cpu: Runtime, name: string): Generator<Outcome> {
  const model = openModelFolder(new URL(name, TINY).pathname);
  for (const [method, { exact, ...reading }] of Object.entries(readings(model))) {
    let theirs: RunResult | undefined;
    const { policy: { score }, ids, positions } = reading;
    for (const form of formsOf(runtime, model, ids.length, { positions, score })) {
      if (exact && form.dtype !== "float32") continue;
      yield attempt(`${name}, ${method}, ${form.title}`, () => {
        theirs ??= run(cpu, reading, { dtype: "float32", attention: "explicit", kernels: "ort" });
        const { ok, worst, worstOfAll, differing: [heads, all] } = distance(
          run(runtime, reading, form),
          theirs,
          NLL[form.dtype],
        );
        const tied = heads === 0
          ? ""
          : `; then ${heads} of ${all} heads hold others, worst ${worstOfAll.toExponential(1)}`;
        return { ok, text: `worst NLL off by ${worst.toExponential(1)}${tied}` };
      });
    }
  }
}

/** All checks of a model. */
export function* familyOutcomes(runtime: Runtime, cpu: Runtime, name: string): Generator<Outcome> {
  yield* logits(runtime, cpu, name);
  yield* underMethods(runtime, cpu, name);
}
