/**
 * Decode steps of the project's own kernels and of ONNX Runtime's, each against a plain decoder in float64: every method
 * on the embedded model, and every family's tiny model. Without a GPU the project's are those in plain loops of
 * tests/reference/step.ts.
 */
import type { FloatType } from "../../lib/util/dtype.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { shortestWindow } from "../../lib/model/spec.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import type { KernelChoice } from "../../lib/engine/kernel_choice.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { kernelObstacle } from "../../lib/engine/kernel_choice.ts";
import { ReferenceKernels } from "../reference/step.ts";
import { embeddedModel, goldenTokens } from "./golden.ts";
import { checked, Judge } from "./judge.ts";
import { nllLimit } from "./limits.ts";
import { attempt, type Outcome, refused } from "./outcome.ts";
import { type Reading, run } from "./reading.ts";

/** Tokens of the embedded model's prompt, and steps on a GPU and on a CPU. */
const PROMPT = 96, STEPS = { cuda: 204, cpu: 60 };
/** Entries kept. */
const SIZE = 64;
/** A reading, and the types that kernels are compared in. */
export interface Case {
  readonly name: string;
  readonly reading: Reading;
  readonly types: readonly FloatType[];
}

/** Models that only ONNX Runtime's kernels can run, and why. */
export const WITHOUT_KERNELS: Readonly<Record<string, RegExp>> = {
  "llama-dynamic": /^its rotary frequencies change with the text's length$/,
  "mistral-window": /^its sliding window is shorter than the text$/,
  "opt-post-norm": /^it normalizes sums, or projects its embeddings$/,
  "qwen2-windows": /^its sliding window is shorter than the text$/,
};

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

/** Methods that are compared in half precision too: one of each kind of score. The others differ in sizes. */
const IN_HALF = ["baseline", "streaming_llm", "streaming_llm@cache", "h2o_l2", "h2o", "keydiff"];

/** All comparisons of a device, by name; `steps` of the embedded model. */
export function* kernelCases(device: "cuda" | "cpu", steps = STEPS[device]): Generator<Case> {
  const model = embeddedModel();
  const half = device === "cuda" ? ["float16", "bfloat16"] as const : [];
  const types = ["float32", ...half] as const;
  // The first layers' keys are their tokens': entries of the same token are tied.
  const shared = {
    model,
    ids: goldenTokens.slice(0, PROMPT + steps + 1),
    prompts: [PROMPT],
    skip: [0, 1],
  };
  const embedded = (name: string, reading: Reading): Case => ({
    name,
    types: IN_HALF.includes(name) ? types : ["float32"],
    reading,
  });
  for (const [name, policy] of Object.entries(policies())) {
    yield embedded(name, { ...shared, policy, positions: "absolute" });
    if (["streaming_llm", "h2o_l2", "snapkv"].includes(name)) {
      yield embedded(`${name}@cache`, { ...shared, policy, positions: "cache" });
    }
  }
  const folder = new URL("../fixtures/tiny/", import.meta.url);
  for (const family of [...Deno.readDirSync(folder)].map(({ name }) => name).sort()) {
    const model = openModelFolder(new URL(family, folder).pathname);
    const { spec } = model;
    const ids = Array.from({ length: 41 }, (_, i) => (5 + 7 * i) % spec.vocab);
    const shared = { model, ids, prompts: [13], skip: [] };
    const of = (policy: Policy, positions: Reading["positions"] = "absolute") => ({
      types,
      reading: { ...shared, policy, positions },
    });
    yield { name: `${family}, baseline`, ...of(methods.baseline()) };
    yield { name: `${family}, h2o`, ...of(methods.h2o({ heavy_size: 6, recent_size: 6 })) };
    if (spec.rope && !spec.rope.growth) {
      const norms = methods.h2o_l2({ start_size: 1, heavy_hitter_size: 6, recent_size: 6 });
      yield { name: `${family}, h2o_l2@cache`, ...of(norms, "cache") };
    }
    // Within a window, and up to where frequencies change, the project's kernels run these too.
    const short = Math.min(shortestWindow(spec), spec.rope?.growth?.from ?? Infinity);
    if (short < ids.length) {
      const reading = { ...shared, ids: ids.slice(0, short), prompts: [3] };
      const h2o = methods.h2o({ heavy_size: 2, recent_size: 2 });
      yield {
        name: `${family}, h2o of ${short} tokens`,
        types,
        reading: { ...reading, policy: h2o, positions: "absolute" },
      };
    }
  }
}

/** The project's kernels on a device. */
export const ownKernels = (kind: "cuda" | "cpu"): KernelChoice | EngineOptions["kernels"] =>
  kind === "cuda" ? "own" : () => new ReferenceKernels();

/**
 * All comparisons with `wanted` in their name, one after the other.
 *
 * @param own The project's kernels, others for a test.
 * @param onlyOwn Leaves out ONNX Runtime's.
 */
export function* kernelOutcomes(
  runtime: Runtime,
  wanted = "",
  own: EngineOptions["kernels"] = ownKernels(runtime.device.kind),
  onlyOwn = false,
): Generator<Outcome> {
  const { device: { kind } } = runtime;
  for (const { name, reading, types } of kernelCases(kind)) {
    if (!name.includes(wanted)) continue;
    const judge = new Judge(reading);
    const { model, policy: { score }, ids } = reading;
    for (const dtype of types) {
      for (const [whose, kernels] of [["ort", "ort"], ["own", own]] as const) {
        if (onlyOwn && whose === "ort") continue;
        const title = `kernels: ${name}, ${dtype} ${whose}`;
        const use = { device: "cuda", dtype, maxPositions: ids.length, score } as const;
        const obstacle = whose === "own" ? kernelObstacle(model, use) : undefined;
        if (obstacle !== undefined) {
          yield refused(title, obstacle, name.includes("tokens") ? undefined : WITHOUT_KERNELS[name.split(",")[0]!]);
          continue;
        }
        yield attempt(title, () => {
          const result = run(runtime, reading, { dtype, attention: "explicit", kernels });
          const { verdict, text } = checked(judge.judge(result, dtype), reading, nllLimit(`kernels: ${name}`, dtype));
          return { verdict, text: `${text}, ${result.ms.toFixed(2)} ms a step` };
        });
      }
    }
  }
}
