/** A prompt in chunks: the same on another device as on the CPU, and as the whole prompt where nothing is evicted. */
import { tabulate } from "../lib/cache/schedule.ts";
import type { FloatType } from "../lib/dtype.ts";
import type { AttentionForm } from "../lib/model/attention.ts";
import type { Runtime } from "../lib/ort/runtime.ts";
import type { Policy } from "../lib/policies/policy.ts";
import { methods } from "../lib/policies/registry.ts";
import { Engine } from "../lib/run/engine.ts";
import { speedCourse } from "../lib/run/speed.ts";
import { embeddedModel, goldenTokens } from "./golden.ts";

/** What the passes are computed in. */
export interface Form {
  readonly dtype: FloatType;
  readonly attention: AttentionForm;
}

/** NLL of the text's next token after each of the passes that read a prompt of 200 tokens, and 8 steps after it. */
function nllsOf(runtime: Runtime, policy: Policy, form: Form, chunk: number): { at: number; nll: number }[] {
  const course = speedCourse({ promptTokens: 200, newTokens: 9, chunk });
  const model = embeddedModel();
  using engine = new Engine(runtime, model, {
    ...form,
    maxPositions: 208,
    table: tabulate(policy, model.spec, [], [course]),
    score: policy.score,
    attentionUse: policy.attention,
  });
  using run = engine.course(course, 0);
  let at = 0;
  return course.flatMap(({ tokens, times }) => new Array<number>(times).fill(tokens)).map((tokens) => {
    run.forward(goldenTokens.slice(at, at += tokens), goldenTokens[at]!);
    const { nll } = run.read();
    run.evict();
    return { at, nll };
  });
}

/**
 * How far a form is off, nats, the largest of all passes: from the CPU's reading of the same chunks under methods that
 * evict between them, and without eviction from the whole prompt.
 */
export function* chunkDifferences(
  runtime: Runtime,
  cpu: Runtime,
  form: Form,
): Generator<{ name: string; off: number }> {
  const farthest = (ours: { at: number; nll: number }[], theirs: { at: number; nll: number }[]) =>
    Math.max(...ours.map(({ at, nll }) => {
      const other = theirs.find((pass) => pass.at === at);
      return other ? Math.abs(nll - other.nll) : 0;
    }));
  const whole = nllsOf(runtime, methods.baseline(), form, 200);
  for (const chunk of [1, 48, 100]) {
    const off = farthest(nllsOf(runtime, methods.baseline(), form, chunk), whole);
    yield { name: `baseline in chunks of ${chunk} against the whole prompt`, off };
  }
  const policies = [
    methods.streaming_llm({ start_size: 4, recent_size: 28 }),
    methods.fix_size_l2({ fix_kv_size: 32, keep_ratio: 0.5 }),
    methods.pyramid_kv({ base_size: 48, min_size: 16 }),
    ...(form.attention === "explicit" ? [methods.h2o({ heavy_size: 16, recent_size: 16 })] : []),
  ];
  for (const policy of policies) {
    const onCpu = nllsOf(cpu, policy, { dtype: "float32", attention: form.attention }, 48);
    const off = farthest(nllsOf(runtime, policy, form, 48), onCpu);
    yield { name: `${policy.method} in chunks of 48 against the CPU's`, off };
  }
}
