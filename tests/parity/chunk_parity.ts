/**
 * A prompt in chunks: as a plain decoder in float64 reads it, under methods that evict between chunks too, and as the
 * whole prompt where nothing is evicted.
 */
import type { FloatType } from "../../lib/util/dtype.ts";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { embeddedModel, goldenTokens } from "./golden.ts";
import { checked, Judge } from "./judge.ts";
import { nllLimit } from "./limits.ts";
import { attempt, type Outcome, within } from "./outcome.ts";
import { passesOf, type Reading, run } from "./reading.ts";

/** How the passes are computed. */
export interface Form extends Required<Pick<EngineOptions, "kernels">> {
  readonly dtype: FloatType;
  readonly attention: AttentionForm;
}

/** Tokens of the prompt; 8 steps follow. */
const PROMPT = 200;

const model = embeddedModel();
/** A text under a method. The first layers' keys are their tokens': they are skipped. */
const reading = (policy: Policy, prompts: readonly number[]): Reading => ({
  ...{ model, policy, positions: "absolute", skip: [0, 1], prompts },
  ids: goldenTokens.slice(0, PROMPT + 9),
});

/** A prompt of 200 tokens in chunks. */
const chunks = (size: number) =>
  Array.from({ length: Math.ceil(PROMPT / size) }, (_, i) => Math.min(size, PROMPT - i * size));

/** Readings in chunks, by name. */
const CHUNKED: Readonly<Record<string, Reading>> = Object.fromEntries(
  Object.entries({
    streaming_llm: methods.streaming_llm({ start_size: 4, recent_size: 28 }),
    fix_size_l2: methods.fix_size_l2({ fix_kv_size: 32, keep_ratio: 0.5 }),
    pyramid_kv: methods.pyramid_kv({ base_size: 48, min_size: 16 }),
    keydiff: methods.keydiff({ cache_size: 32, recent_size: 8 }),
    h2o: methods.h2o({ heavy_size: 16, recent_size: 16 }),
  }).map(([name, policy]) => [`${name} in chunks of 48`, reading(policy, chunks(48))]),
);

/** The same without eviction. */
const WHOLE = "baseline, a whole prompt";
const wholeReading = reading(methods.baseline(), [PROMPT]);

/** The limit of a method: that of the same model and kind of score where it is read step by step. */
function limitOf({ policy: { method } }: Reading, dtype: FloatType): number {
  return nllLimit(`kernels: ${["fix_size_l2", "pyramid_kv"].includes(method) ? "h2o_l2" : method}`, dtype);
}

/** One for all forms: what the reference has followed once it need not follow again. */
const judges = new Map<Reading, Judge>();
function judgeOf(reading: Reading): Judge {
  const judge = judges.get(reading) ?? new Judge(reading);
  judges.set(reading, judge);
  return judge;
}

/** The NLL after each pass, by the number of tokens read. */
function nllsOf(runtime: Runtime, reading: Reading, form: Form): Map<number, number> {
  const { nll } = run(runtime, reading, form);
  let at = 0;
  return new Map(passesOf(reading).map((tokens, i) => [at += tokens, nll[i]!]));
}

/** All checks of a form. `title` names it. */
export function* chunkOutcomes(runtime: Runtime, form: Form, title: string): Generator<Outcome> {
  const judged = (reading: Reading) =>
    checked(judgeOf(reading).judge(run(runtime, reading, form), form.dtype), reading, limitOf(reading, form.dtype));
  yield attempt(`${WHOLE}, ${title}`, () => judged(wholeReading));
  const whole = nllsOf(runtime, wholeReading, form);
  for (const size of [1, 48, 100]) {
    yield attempt(`baseline in chunks of ${size} against the whole prompt, ${title}`, () => {
      const cut = nllsOf(runtime, reading(methods.baseline(), chunks(size)), form);
      // Passes after which both have read as many tokens.
      const both = [...cut].filter(([at]) => whole.has(at));
      const off = both.map(([at, nll]) => Math.abs(nll - whole.get(at)!));
      // Two runs, each off by as much.
      const limit = 2 * limitOf(wholeReading, form.dtype);
      return within(limit, both.length === 0 ? {} : { [`worst NLL of ${both.length} off by`]: Math.max(...off) });
    });
  }
  for (const [name, reading] of Object.entries(CHUNKED)) {
    // Fused attention shows no weights.
    if (reading.policy.attention && form.attention === "fused") continue;
    yield attempt(`${name}, ${title}`, () => judged(reading));
  }
}
