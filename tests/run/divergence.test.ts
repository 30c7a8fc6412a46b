/** Distance from the full cache, with real engines: the baseline writes its logits, other configurations compare. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { tabulate } from "../../lib/cache/schedule.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { LogitsComparison } from "../../lib/engine/logits_comparison.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { methods } from "../../lib/policies/registry.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import type { Divergence } from "../../lib/report/results/spread_types.ts";
import { DivergenceMeter } from "../../lib/run/measure/divergence_meter.ts";
import type { LogitsWatch } from "../../lib/run/measure/logits_watch.ts";
import { measureQuality, qualityPasses } from "../../lib/run/measure/quality.ts";
import { type ReferencePlan, rowsOf } from "../../lib/run/measure/reference_plan.ts";
import { ReferenceReader } from "../../lib/run/measure/reference_reader.ts";
import { ReferenceWriter } from "../../lib/run/measure/reference_writer.ts";
import { ids, optionsFor, STEPS as EXPORT_STEPS } from "../model/_export_runs.ts";
import { ExportFolder } from "../model/_exports.ts";
import { runtime, temporaryFolder } from "../model/_models.ts";
import { embeddedModel, goldenTokens } from "../parity/golden.ts";
import { distanceOf } from "../reference/divergence.ts";
import { ReferenceKernels } from "../reference/step.ts";

const STEPS = 90;
const EVERY: ReferencePlan = { first: 0, stride: 1 };
const model = embeddedModel();
const { vocab } = model.spec;
const baseline = methods.baseline();
const streaming = (size: number) => methods.streaming_llm({ start_size: 4, recent_size: size - 4 });

function engineOf(
  policy: Policy,
  logits: EngineOptions["logits"] = "last",
  kernels?: EngineOptions["kernels"],
): Engine {
  return new Engine(runtime(), model, {
    dtype: "float32",
    attention: policy.attention || kernels ? "explicit" : "fused",
    maxPositions: STEPS,
    table: tabulate(policy, model.spec, [], [qualityPasses(STEPS)]),
    score: policy.score,
    attentionUse: policy.attention,
    threads: 1,
    kernels,
    ...(logits === undefined ? {} : { logits }),
  });
}

/** Makes a quality pass, and tells all watches of each step. */
function pass(engine: Engine, watches: readonly LogitsWatch[], ahead = true, tokens = goldenTokens, steps = STEPS) {
  return measureQuality(engine, tokens, steps, 1, undefined, ahead, {
    take: (...step) => watches.forEach((watch) => watch.take(...step)),
  });
}

/** Keeps the logits of each step on the host. */
class Recorder implements LogitsWatch {
  readonly rows: Float32Array[] = [];
  take(_: number, sequence: Parameters<LogitsWatch["take"]>[1]): void {
    this.rows.push(sequence.logits());
  }
}

function write(path: string, plan = EVERY, ahead = true) {
  using engine = engineOf(baseline);
  const recorder = new Recorder();
  using writer = new ReferenceWriter(runtime().device, path, vocab, plan);
  const quality = pass(engine, [writer, recorder], ahead);
  equal(writer.finish(), undefined);
  return { quality, rows: recorder.rows };
}

function measure(policy: Policy, path: string, plan = EVERY, ahead = true) {
  using engine = engineOf(policy);
  const recorder = new Recorder();
  using comparison = new LogitsComparison(runtime(), vocab, 1);
  using meter = new DivergenceMeter(comparison, path, plan, STEPS);
  const quality = pass(engine, [meter, recorder], ahead);
  return { divergence: meter.finish(), quality, rows: recorder.rows };
}

const mean = (x: readonly number[]) => x.reduce((a, b) => a + b) / x.length;

/** Compares with what float64 makes of the logits. */
function isRight(
  { kl, token_probability, same_top, first, stride }: Divergence,
  full: Float32Array[],
  own: Float32Array[],
) {
  kl.forEach((kl, i) => {
    const step = first + i * stride;
    const right = distanceOf(full[step]!, own[step]!, goldenTokens[step + 1]!);
    ok(Math.abs(kl - right.kl) <= 1e-6 * right.kl + 1e-13, `step ${step}: KL ${kl}, not ${right.kl}`);
    ok(Math.abs(token_probability[i]! - right.tokenProbability) < 1e-7);
    equal(same_top[i], Number(right.sameTop));
  });
}

Deno.test("a file of the full cache's logits gives each configuration's distance, step by step", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "sample_0.f32");
  const { rows: full } = write(path);
  const written = new Float32Array(Deno.readFileSync(path).buffer);
  equal(written.length, STEPS * vocab);
  full.forEach((row, i) => deepEqual(written.subarray(i * vocab, (i + 1) * vocab), row));

  const zeros = new Array<number>(STEPS).fill(0), ones = zeros.map(() => 1);
  const none: Divergence = { kl: zeros, token_probability: zeros, same_top: ones, first: 0, stride: 1 };
  // What evicts nothing is at no distance: the full cache itself, and a method that has room for the text.
  for (const ahead of [true, false]) deepEqual(measure(baseline, path, EVERY, ahead).divergence, none);
  deepEqual(measure(streaming(STEPS), path).divergence, none);

  const { divergence, rows } = measure(streaming(32), path);
  isRight(divergence, full, rows);
  // The step that makes 33 entries still reads all of them.
  deepEqual(divergence.kl.slice(0, 33), zeros.slice(0, 33));
  ok(divergence.kl.slice(33).every((kl) => kl > 0));
  ok(mean(divergence.kl) > 1e-3 && mean(divergence.same_top) < 1);
  // A smaller cache is further off.
  ok(mean(measure(streaming(12), path).divergence.kl) > mean(divergence.kl));
});

Deno.test("a method that needs attention probabilities differs by rounding before it evicts", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "sample_0.f32");
  const { rows: full } = write(path);
  const { divergence, rows } = measure(methods.h2o({ start_size: 4, heavy_size: 14, recent_size: 14 }), path);
  isRight(divergence, full, rows);
  ok(Math.max(...divergence.kl.slice(0, 32)) < 1e-9);
  ok(mean(divergence.kl) > 1e-4);
});

Deno.test("comparing with the row before is seen", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "sample_0.f32");
  write(path);
  const bytes = Deno.readFileSync(path);
  const row = 4 * vocab;
  Deno.writeFileSync(path, Uint8Array.of(...new Uint8Array(row)));
  Deno.writeFileSync(path, bytes.subarray(0, bytes.length - row), { append: true });
  const { kl, same_top } = measure(baseline, path).divergence;
  ok(kl.every((kl) => kl > 0.01));
  ok(mean(kl) > 1 && mean(same_top) < 0.5);
});

Deno.test("every third step gives what these steps give among all", () => {
  using folder = temporaryFolder();
  const [all, third] = [join(folder.path, "all"), join(folder.path, "third")];
  const plan = { first: 1, stride: 3 };
  write(all);
  write(third, plan);
  equal(Deno.statSync(third).size, 4 * vocab * rowsOf(plan, STEPS));
  const of = ({ kl, token_probability, same_top }: Divergence) => [kl, token_probability, same_top];
  const every = measure(streaming(32), all).divergence, some = measure(streaming(32), third, plan).divergence;
  deepEqual([some.first, some.stride], [1, 3]);
  deepEqual(of(some), of(every).map((x) => x.filter((_, i) => i % 3 === 1)));
});

Deno.test("the last token's logits are those of the pass, and change none of its results", () => {
  const results = (engine: Engine, prompt: number) => {
    using sequence = engine.sequence([{ tokens: prompt, times: 1 }, ...qualityPasses(4)], 0);
    const step = (tokens: readonly number[], target: number) => {
      sequence.forward(tokens, target);
      sequence.evict();
      return { ...sequence.read(), logits: engine.logits ? sequence.logits() : undefined };
    };
    const first = step(goldenTokens.slice(0, prompt), goldenTokens[prompt]!);
    return [first, ...[0, 1, 2, 3].map((i) => step([goldenTokens[prompt + i]!], goldenTokens[prompt + i + 1]!))];
  };
  for (const kernels of [undefined, () => new ReferenceKernels()]) {
    const [none, last, all] = ([false, "last", true] as const).map((logits) => {
      using engine = engineOf(baseline, logits, kernels);
      return results(engine, 5);
    }) as [ReturnType<typeof results>, ReturnType<typeof results>, ReturnType<typeof results>];
    const known = (of: typeof none) => of.map(({ nll, argmax }) => [nll, argmax]);
    deepEqual(known(last), known(none));
    last.forEach(({ logits }, i) => {
      equal(logits!.length, vocab);
      const row = all[i]!.logits!.slice(-vocab);
      // A prompt's rows come from one product for all of them.
      if (i > 0) deepEqual(logits, row);
      ok(logits!.every((x, j) => Math.abs(x - row[j]!) < 1e-4));
      equal(logits!.indexOf(logits!.reduce((a, b) => Math.max(a, b))), last[i]!.argmax);
    });
  }
  using engine = engineOf(baseline, false);
  using sequence = engine.sequence(qualityPasses(1), 0);
  sequence.forward([1], 2);
  throws(() => sequence.logitsMemory, /^TypeError: Cannot read logits: the engine was made without them$/);
});

Deno.test("an ONNX export's logits are compared as well", async () => {
  using folder = new ExportFolder();
  const model = openModelFolder(await folder.put("model.onnx"));
  const path = join(folder.path, "sample_0.f32");
  const { vocab } = model.spec;
  const engine = (policy: Policy) =>
    new Engine(runtime(), model, {
      ...optionsFor(model, { policy, skip: [], positions: "absolute" }),
      logits: "last",
      threads: 1,
    });
  using full = engine(baseline);
  using writer = new ReferenceWriter(runtime().device, path, vocab, EVERY);
  pass(full, [writer], true, ids, EXPORT_STEPS);
  equal(writer.finish(), undefined);
  using comparison = new LogitsComparison(runtime(), vocab, 1);
  const distance = (policy: Policy) => {
    using own = engine(policy);
    using meter = new DivergenceMeter(comparison, path, EVERY, EXPORT_STEPS);
    pass(own, [meter], true, ids, EXPORT_STEPS);
    return meter.finish().kl;
  };
  deepEqual(distance(baseline), new Array(EXPORT_STEPS).fill(0));
  const far = distance(methods.streaming_llm({ start_size: 2, recent_size: 14 }));
  deepEqual(far.slice(0, 16), new Array(16).fill(0));
  ok(mean(far) > 1e-6);
});

Deno.test("a file of another size, or none, is refused in words", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "sample_0.f32");
  throws(
    () => new ReferenceReader(path, 5, 2),
    /^Error: Cannot read the full cache's logits from .*sample_0.f32: No such/,
  );
  Deno.writeFileSync(path, new Uint8Array(44));
  throws(() => new ReferenceReader(path, 5, 2), /: it has 44 bytes; 2 rows of 5 float32 numbers have 40$/);
  Deno.writeFileSync(path, Uint8Array.from({ length: 40 }, (_, i) => i));
  using reader = new ReferenceReader(path, 5, 2);
  deepEqual([...reader.row(1)], Array.from({ length: 20 }, (_, i) => 20 + i));
  deepEqual([...reader.row(0)], Array.from({ length: 20 }, (_, i) => i));
  throws(() => reader.row(2), /^RangeError: Cannot read row 2 of .*: it has 2$/);
  Deno.truncateSync(path, 30);
  throws(() => reader.row(1), /: it ended within row 1$/);
});

Deno.test("a folder that is gone ends the writing, not the pass", () => {
  using engine = engineOf(baseline);
  using writer = new ReferenceWriter(runtime().device, "/nowhere/sample_0.f32", vocab, EVERY);
  equal(pass(engine, [writer]).nll.length, STEPS);
  match(writer.finish()!, /^Cannot write the full cache's logits to \/nowhere\/sample_0.f32: No such file/);
});

Deno.test({
  name: "so does a full disk",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    // Deno opens devices only with all permissions.
    const script = fromFileUrl(new URL("_full_disk.ts", import.meta.url));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--frozen", script] })
      .output();
    equal(new TextDecoder().decode(stderr), "");
    match(
      new TextDecoder().decode(stdout),
      /^8 Cannot write the full cache's logits to \/dev\/full: No space left on device/,
    );
  },
});
