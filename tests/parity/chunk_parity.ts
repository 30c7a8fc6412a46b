/** A prompt in chunks: the same on another device as on the CPU, and as the whole prompt where nothing is evicted. */
import { tabulate } from "../../lib/cache/schedule.ts";
import type { FloatType } from "../../lib/util/dtype.ts";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { speedPasses } from "../../lib/run/measure/speed_passes.ts";
import { embeddedModel, goldenTokens } from "./golden.ts";
import { distance, run } from "./kernel_parity.ts";

/** How the passes are computed. */
export interface Form extends Pick<EngineOptions, "kernels"> {
  readonly dtype: FloatType;
  readonly attention: AttentionForm;
}

/** NLL of the text's next token after each of the passes that read a prompt of 200 tokens, and 8 steps after it. */
function nllsOf(runtime: Runtime, policy: Policy, form: Form, chunk: number): { at: number; nll: number }[] {
  const sequence = speedPasses({ promptTokens: 200, newTokens: 9, chunk });
  const model = embeddedModel();
  using engine = new Engine(runtime, model, {
    ...form,
    maxPositions: 208,
    table: tabulate(policy, model.spec, [], [sequence]),
    score: policy.score,
    attentionUse: policy.attention,
  });
  using passes = engine.sequence(sequence, 0);
  let at = 0;
  return sequence.flatMap(({ tokens, times }) => new Array<number>(times).fill(tokens)).map((tokens) => {
    passes.forward(goldenTokens.slice(at, at += tokens), goldenTokens[at]!);
    const { nll } = passes.read();
    passes.evict();
    return { at, nll };
  });
}

/** A text of 200 tokens in chunks and 8 steps, under a method. The first layers' keys are their tokens': they are skipped. */
const reading = (policy: Policy) => ({
  ...{ model: embeddedModel(), policy, positions: "absolute", skip: [0, 1] } as const,
  ids: goldenTokens.slice(0, 209),
  prompts: [48, 48, 48, 48, 8],
});

/**
 * How far a form is off, nats, the largest of all passes: without eviction from the whole prompt, and under methods
 * that evict between chunks from the CPU's reading of the same chunks, up to the first choice that differs. Half
 * precision has such ties everywhere, and is checked under a method that chooses by place alone.
 */
export function* chunkDifferences(
  runtime: Runtime,
  cpu: Runtime,
  form: Form,
  limit: number,
): Generator<{ name: string; off: number; ok: boolean }> {
  const farthest = (ours: { at: number; nll: number }[], theirs: { at: number; nll: number }[]) =>
    Math.max(...ours.map(({ at, nll }) => {
      const other = theirs.find((pass) => pass.at === at);
      return other ? Math.abs(nll - other.nll) : 0;
    }));
  const whole = nllsOf(runtime, methods.baseline(), form, 200);
  for (const chunk of [1, 48, 100]) {
    const off = farthest(nllsOf(runtime, methods.baseline(), form, chunk), whole);
    yield { name: `baseline in chunks of ${chunk} against the whole prompt`, off, ok: off <= limit };
  }
  const exact = form.dtype === "float32";
  const policies = [
    methods.streaming_llm({ start_size: 4, recent_size: 28 }),
    ...(exact
      ? [
        methods.fix_size_l2({ fix_kv_size: 32, keep_ratio: 0.5 }),
        methods.pyramid_kv({ base_size: 48, min_size: 16 }),
        methods.keydiff({ cache_size: 32, recent_size: 8 }),
      ]
      : []),
    ...(exact && form.attention === "explicit" ? [methods.h2o({ heavy_size: 16, recent_size: 16 })] : []),
  ];
  for (const policy of policies) {
    const onCpu = run(cpu, reading(policy), { dtype: "float32", attention: form.attention, kernels: "ort" });
    const { worst, ok } = distance(run(runtime, reading(policy), form), onCpu, limit);
    yield { name: `${policy.method} in chunks of 48 against the CPU's`, off: worst, ok };
  }
}
