/**
 * Models of every family, on one device: logits against transformers', texts longer than windows and than RoPE's own
 * length against the CPU's float32, and methods against a plain decoder in float64. Kernels of a step are ONNX Runtime's
 * and, where possible, the project's.
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
import { asReference, goldenOf, most, TINY } from "../model/_golden_logits.ts";
import { farthest, logitsOfEach } from "../model/_models.ts";
import { checked, Judge } from "./judge.ts";
import { ownKernels, WITHOUT_KERNELS } from "./kernel_parity.ts";
import { logitLimit, nllLimit } from "./limits.ts";
import { attempt, type Outcome, refused, within } from "./outcome.ts";
import { type Reading, run } from "./reading.ts";

/** Names of all models. */
export const FAMILIES: readonly string[] = [...Deno.readDirSync(TINY)].map(({ name }) => name).sort();

/** Tokens of a text beyond windows and RoPE's own length. The models' tables end at 128. */
const LONG = 120;

/** How a model is computed. */
interface Form extends Required<Pick<EngineOptions, "kernels">> {
  readonly dtype: FloatType;
  readonly attention: AttentionForm;
}

/** A form, or why a device has not got it. */
interface Offered {
  readonly title: string;
  readonly form?: Form;
  readonly refused?: { readonly reason: string; readonly known: RegExp | undefined };
}

/** Models and devices without a fused form of attention. */
const WITHOUT_FUSED = /sliding window|takes float16 and bfloat16, not float32$/;

/**
 * All forms that a device has for a reading. The project's kernels have one form of attention, whatever a prompt's pass
 * has.
 */
function formsOf(
  { device: { kind } }: Runtime,
  name: string,
  model: ModelFolder,
  maxPositions: number,
  { positions, score }: { readonly positions?: Positions; readonly score?: Score | undefined } = {},
): Offered[] {
  // The fused form is not meant for these.
  const shows = positions === "cache" || score !== undefined && featuresOf(score).has("attention");
  const types = kind === "cuda" ? ["float32", "float16", "bfloat16"] as const : ["float32"] as const;
  return types.flatMap((dtype) => {
    const fused = fusedObstacle(model.spec, { dtype, device: kind, maxPositions });
    const own = kernelObstacle(model, { device: "cuda", dtype, maxPositions, score });
    const prompt = shows || fused !== undefined ? "explicit" as const : "fused" as const;
    const offer = (
      attention: AttentionForm,
      whose: "ort" | "own",
      reason: string | undefined,
      known?: RegExp,
    ): Offered => ({
      title: `${dtype} ${attention} ${whose}`,
      ...(reason === undefined
        ? { form: { dtype, attention, kernels: whose === "ort" ? "ort" : ownKernels(kind)! } }
        : { refused: { reason, known } }),
    });
    return [
      ...(shows ? [] : [offer("fused", "ort", fused, WITHOUT_FUSED)]),
      offer("explicit", "ort", undefined),
      offer(prompt, "own", own, WITHOUT_KERNELS[name]),
    ];
  });
}

/** Checks a form, or says why it cannot be. */
function offered(
  name: string,
  { title, form, refused: no }: Offered,
  check: (form: Form) => ReturnType<typeof within>,
) {
  return form ? attempt(`${name}, ${title}`, () => check(form)) : refused(`${name}, ${title}`, no!.reason, no!.known);
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

/** A text whose logits are compared; its name has a limit. */
export interface LogitCase {
  readonly name: string;
  readonly ids: readonly number[];
  /** Tokens of each pass, by what it is called. */
  readonly ways: Readonly<Record<string, readonly number[]>>;
}

/** A model's texts: the reference's, and one beyond windows and RoPE's own length if there is any. */
export function logitCases(name: string, model: ModelFolder): LogitCase[] {
  const { ids, runs } = goldenOf(name);
  const ways = Object.fromEntries(Object.entries(runs).map(([how, [passes]]) => [how, passes]));
  return [
    { name: `${name}, logits`, ids, ways },
    ...(dependsOnLength(model)
      ? [{ name: `${name}, logits of ${LONG} tokens`, ids: textOf(model, LONG), ways: cuts(LONG) }]
      : []),
  ];
}

/** A family's model as the reference had it. */
export const familyModel = (name: string) => asReference(openModelFolder(new URL(name, TINY).pathname), name);

/** Logits of every token against transformers', the CPU's beyond the length of those. */
function* logits(runtime: Runtime, cpu: Runtime, name: string): Generator<Outcome> {
  const model = familyModel(name);
  const { runs } = goldenOf(name);
  for (const [i, { name: title, ids, ways }] of logitCases(name, model).entries()) {
    const passes = Object.values(ways);
    const expected = i === 0
      ? Object.values(runs).map(([, logits]) => logits)
      : logitsOfEach(model, ids, passes, "explicit", { runtime: cpu, kernels: "ort" });
    for (const form of formsOf(runtime, name, model, ids.length)) {
      yield offered(title, form, ({ dtype, attention, kernels }) => {
        const got = logitsOfEach(model, ids, passes, attention, { runtime, dtype, kernels });
        const off = Object.keys(ways).map((how, i) =>
          [how, farthest(got[i]!, expected[i]!) / Math.max(1, most(expected[i]!))] as const
        );
        return within(logitLimit(title, dtype), Object.fromEntries(off));
      });
    }
  }
}

/** Readings of a model under methods, by name; their names have limits. */
export function familyReadings(name: string): Record<string, Reading> {
  const model = openModelFolder(new URL(name, TINY).pathname);
  const baseline = methods.baseline();
  const streaming = methods.streaming_llm({ start_size: 4, recent_size: 12 });
  const norms = methods.fix_size_l2({ fix_kv_size: 16, keep_ratio: 0.5 });
  const h2o = methods.h2o({ heavy_size: 8, recent_size: 8 });
  const reading = (policy: Reading["policy"], tokens = 41, positions: Positions = "absolute") => ({
    ...{ model, policy, positions, skip: [], ids: textOf(model, tokens), prompts: [21, 5] },
  });
  const long = dependsOnLength(model);
  const all = {
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
  return Object.fromEntries(Object.entries(all).map(([method, reading]) => [`${name}, ${method}`, reading]));
}

/** Methods against the plain decoder: every choice and each token's NLL. */
function* underMethods(runtime: Runtime, name: string): Generator<Outcome> {
  for (const [title, reading] of Object.entries(familyReadings(name))) {
    const { model, policy: { score }, ids, positions } = reading;
    const judge = new Judge(reading);
    for (const form of formsOf(runtime, name, model, ids.length, { positions, score })) {
      yield offered(
        title,
        form,
        (form) => checked(judge.judge(run(runtime, reading, form), form.dtype), reading, nllLimit(title, form.dtype)),
      );
    }
  }
}

/** All checks of a model. */
export function* familyOutcomes(runtime: Runtime, cpu: Runtime, name: string): Generator<Outcome> {
  yield* logits(runtime, cpu, name);
  yield* underMethods(runtime, name);
}
