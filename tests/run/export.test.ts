/** Runs on ONNX exports that optimum wrote, compared with the same model as safetensors. */
import { deepEqual, doesNotMatch, equal, match, ok, rejects, throws } from "node:assert/strict";
import { join } from "@std/path";
import proto from "onnx-proto";
import { InputError } from "../../lib/util/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { runBenchmark } from "../../lib/run/benchmark.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { Positions } from "../../lib/engine/numbering.ts";
import { exportNote } from "../../lib/run/plan/export_limits.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { makePlan } from "../../lib/run/plan/plan.ts";
import { measureQuality } from "../../lib/run/measure/quality.ts";
import { measureSpeed } from "../../lib/run/measure/speed.ts";
import { ids, lengths, optionsFor, STEPS } from "../model/_export_runs.ts";
import { exported, ExportFolder, original } from "../model/_exports.ts";

const runtime = openRuntime("cpu");
const policies: Readonly<Record<string, Policy>> = {
  baseline: methods.baseline(),
  recent_only: methods.recent_only({ window_size: 14 }),
  streaming_llm: methods.streaming_llm({ start_size: 4, recent_size: 12 }),
  fix_size_l2: methods.fix_size_l2({ fix_kv_size: 16, keep_ratio: 0.5, strategy: "keep_low" }),
  random: methods.fix_size_l2({ fix_kv_size: 16, keep_ratio: 0.5, strategy: "random" }),
  l2_compress: methods.l2_compress({ keep_ratio: 0.8, prune_after: 12 }),
  h2o_l2: methods.h2o_l2({ start_size: 2, heavy_hitter_size: 6, recent_size: 8 }),
  snapkv_lite: methods.snapkv_lite({ observation_window: 4, keep_size: 16 }),
  pyramid_kv: methods.pyramid_kv({ base_size: 24, layer_decay: 0.8, min_size: 8, profile: "exponential" }),
  keydiff: methods.keydiff({ cache_size: 16, recent_size: 5 }),
};

/** Both passes of a policy on a model. */
function run(path: string, policy: Policy, skip: number[], positions: Positions = "absolute", trace = false) {
  const model = openModelFolder(path);
  using engine = new Engine(runtime, model, {
    ...optionsFor(model, { policy, skip, positions }),
    trace,
    threads: 1,
  });
  let held: unknown;
  const quality = measureQuality(engine, ids, STEPS, 3, (_, __, cache) => held = trace ? cache.heldPositions() : 0);
  return { ...quality, generated: measureSpeed(engine, ids, lengths, 3), held };
}

/** Results with the model's own weights. */
const known = new Map<string, ReturnType<typeof run>>();

/** Compares an export with the model's own weights. */
function agrees(path: string, policy: Policy, skip: number[], positions: Positions = "absolute") {
  const key = JSON.stringify([policy, skip, positions]);
  const ours = known.get(key) ?? run(original, policy, skip, positions);
  known.set(key, ours);
  const theirs = run(path, policy, skip, positions);
  const off = Math.abs(theirs.perplexity / ours.perplexity - 1);
  ok(off < 1e-5, `${policy.method} ${skip} ${positions}: perplexity ${theirs.perplexity}, is ${ours.perplexity}`);
  deepEqual(theirs.cacheSizes, ours.cacheSizes);
  equal(theirs.copied, ours.copied);
  deepEqual(theirs.generated.tokens, ours.generated.tokens);
}

/** A short benchmark. */
const short = {
  max_tokens: 40,
  prompt_tokens: 20,
  max_new_tokens: 4,
  num_samples: 1,
  num_warmup: 0,
  output: null,
  device: "cpu",
} as const;
const configuration = (name: string, policy = policies[name]!) => ({ name, policy });
const h2o = configuration("h2o", methods.h2o({ start_size: 0, heavy_size: 8, recent_size: 8 }));

Deno.test("an export gives the perplexity of its safetensors, method by method", async () => {
  using folder = new ExportFolder();
  const model = await folder.put("model.onnx");
  for (const policy of Object.values(policies)) agrees(model, policy, [0]);
  agrees(model, policies.pyramid_kv!, []);
  agrees(model, policies.streaming_llm!, [], "seed");
  for (const skip of [[0], []]) agrees(model, policies.pyramid_kv!, skip, "cache");
});

Deno.test("a decoder in two branches, and one in two files, do as well", async () => {
  using folder = new ExportFolder();
  const merged = await folder.put("decoder_model_merged.onnx", "onnx/decoder_model_merged.onnx");
  const prompt = await folder.put("decoder_model.onnx");
  const step = await folder.put("decoder_with_past_model.onnx");
  for (const path of [merged, prompt]) {
    agrees(path, policies.fix_size_l2!, [0]);
    // It counts positions itself, from the entries in layer 0.
    agrees(path, policies.streaming_llm!, [], "seed");
    agrees(path, policies.streaming_llm!, [0], "cache");
  }
  deepEqual(openModelFolder(step).export, openModelFolder(prompt).export);
});

Deno.test("an export with fused attention, its weights in a file next to it", async () => {
  using folder = new ExportFolder();
  // As in the hub's cache: links to files with hashes as names.
  await folder.put("fused.onnx", "blobs/1f");
  await folder.put("fused.onnx.data", "blobs/2f");
  Deno.mkdirSync(join(folder.path, "onnx"));
  Deno.symlinkSync("../blobs/1f", join(folder.path, "onnx", "model.onnx"));
  Deno.symlinkSync("../blobs/2f", join(folder.path, "onnx", "model.onnx.data"));
  equal(openModelFolder(folder.path).export?.files.length, 2);
  // If layers hold fewer entries than the first, each must be given its own length.
  for (const name of ["streaming_llm", "pyramid_kv"]) agrees(folder.path, policies[name]!, [0]);
  const note = (device: "cuda" | "cpu") => exportNote(openModelFolder(folder.path), "onnx/model.onnx", device);
  match(note("cuda"), /Its attention is computed on the CPU: CUDA has no GroupQueryAttention in float32/);
  doesNotMatch(note("cpu"), /on the CPU/);
});

Deno.test("a float16 export computes and caches in float16, on the CPU too", async () => {
  using folder = new ExportFolder();
  const half = await folder.put("model_fp16.onnx");
  for (const name of ["h2o_l2"]) {
    const [ours, theirs] = [original, half].map((path) => run(path, policies[name]!, [0]));
    const off = Math.abs(theirs!.perplexity / ours!.perplexity - 1);
    ok(off > 0 && off < 0.02, `${name} ${off}`);
    deepEqual(theirs!.cacheSizes, ours!.cacheSizes);
  }
});

const { onnx } = proto;
const ints = (name: string, ...values: bigint[]): proto.onnx.ITensorProto => ({
  name,
  dims: [values.length],
  dataType: onnx.TensorProto.DataType.INT64,
  rawData: new Uint8Array(BigInt64Array.from(values).buffer),
});

/** The export with nodes after it that make logits of "all". */
async function extended(nodes: proto.onnx.INodeProto[], initializers: proto.onnx.ITensorProto[], input?: string) {
  const model = onnx.ModelProto.decode(await exported("model.onnx"));
  const graph = model.graph!;
  for (const { output } of graph.node!) output!.forEach((name, i) => output![i] = name === "logits" ? "all" : name);
  graph.node!.push(...nodes);
  graph.initializer!.push(...initializers);
  const elemType = onnx.TensorProto.DataType.INT64;
  if (input) graph.input!.push({ name: input, type: { tensorType: { elemType, shape: { dim: [] } } } });
  return onnx.ModelProto.encode(model).finish();
}

Deno.test("an export that asks how many logits to keep is told", async () => {
  using folder = new ExportFolder();
  // As in newer exports for transformers.js: the number of last logits to keep, 0 for all.
  const model = await extended(
    [
      { opType: "Neg", input: ["num_logits_to_keep"], output: ["start"] },
      { opType: "Reshape", input: ["start", "one"], output: ["starts"] },
      { opType: "Slice", input: ["all", "starts", "end", "one"], output: ["logits"] },
    ],
    [ints("one", 1n), ints("end", 2n ** 62n)],
    "num_logits_to_keep",
  );
  agrees(folder.write("model.onnx", model), policies.streaming_llm!, [0]);
});

Deno.test("an export whose one mask fits all layers or none says so where they differ", async () => {
  using folder = new ExportFolder();
  // A sum that needs layer 1 to be as long as the mask, as the attention of some exports does.
  const model = await extended([
    {
      opType: "ReduceSum",
      input: ["present.1.key", "axes"],
      output: ["sums"],
      attribute: [{ name: "keepdims", type: 2, i: 0 }],
    },
    { opType: "Cast", input: ["attention_mask"], output: ["mask"], attribute: [{ name: "to", type: 2, i: 1 }] },
    { opType: "Add", input: ["sums", "mask"], output: ["masked"] },
    { opType: "ReduceMin", input: ["masked"], output: ["least"] },
    { opType: "Sub", input: ["least", "least"], output: ["nothing"] },
    { opType: "Add", input: ["all", "nothing"], output: ["logits"] },
  ], [ints("axes", 1n, 3n)]);
  const path = folder.write("model.onnx", model);
  agrees(path, policies.streaming_llm!, []);
  throws(() => run(path, policies.streaming_llm!, [0]), (error) => {
    match(
      (error as Error).message,
      /^Cannot run .*model\.onnx where layers hold different numbers of entries: its attention/,
    );
    return error instanceof InputError;
  });
});

Deno.test("what an export's cache holds is traced", async () => {
  using folder = new ExportFolder();
  const model = await folder.put("model.onnx");
  const [ours, theirs] = [original, model].map((path) => run(path, policies.h2o_l2!, [0], "absolute", true));
  deepEqual(theirs!.held, ours!.held);
});

Deno.test("an export of a family that is not known here runs all the same, and says so", async () => {
  using folder = new ExportFolder();
  await folder.put("model.onnx");
  const config = JSON.parse(Deno.readTextFileSync(join(folder.path, "config.json")));
  const call = (change: Record<string, unknown>) =>
    folder.write("config.json", new TextEncoder().encode(JSON.stringify({ ...config, model_type: "new", ...change })));
  call({});
  agrees(folder.path, policies.pyramid_kv!, [0]);
  const notes: string[] = [];
  const options = { ...short, model_id: folder.path, configurations: [configuration("streaming_llm")] };
  await makePlan({ ...options, onNote: (note) => notes.push(note) });
  match(notes.join(), /Models of type new are not checked here: once entries are dropped, /);
  await rejects(
    makePlan({ ...options, positions: "cache" }),
    /only their ONNX export knows how new models number tokens/,
  );
  call({ sliding_window: 30, use_sliding_window: true, layer_types: null });
  await rejects(makePlan(options), /its sliding window of 30 tokens counts places in the cache/);
  call({ alibi: true });
  await rejects(makePlan(options), /new models attend by distance in the cache \(ALiBi\)/);
  call({ num_hidden_layers: 5 });
  await rejects(makePlan(options), /it has 3 layers, config\.json says 5/);
});

Deno.test("a benchmark says that it ran the export; methods by attention fail with the reason", async () => {
  using folder = new ExportFolder();
  await folder.put("model.onnx", "onnx/model.onnx");
  const notes: string[] = [];
  const { results } = await runBenchmark({
    ...short,
    model_id: folder.path,
    configurations: [configuration("baseline"), h2o, configuration("streaming_llm")],
    onNote: (note) => notes.push(note),
  });
  equal(results.config.weights, "onnx/model.onnx");
  equal(results.config.dtype, "float32");
  deepEqual(results.configurations.map(({ status }) => status), ["done", "failed", "done"]);
  deepEqual(results.configurations.map(({ attention }) => attention), ["export", "export", "export"]);
  deepEqual(results.failures.map(({ method }) => method), ["h2o"]);
  match(
    results.failures[0]!.reason,
    /^an ONNX export shows no attention, and it keeps entries by that; /,
  );
  ok(notes.some((note) => note.startsWith("Running the ONNX export onnx/model.onnx: its graph copies ")), `${notes}`);
  ok("onnx/model.onnx" in results.environment.model_sha256);
  const { perplexity } = results.aggregated_stats.streaming_llm!;
  const own = await runBenchmark({ ...short, model_id: original, configurations: [configuration("streaming_llm")] });
  equal(own.results.config.weights, "safetensors");
  ok(Math.abs(own.results.aggregated_stats.streaming_llm!.perplexity / perplexity - 1) < 1e-5);
});

Deno.test("a run that an export cannot do is refused before it starts", async () => {
  using folder = new ExportFolder();
  const model = await folder.put("model.onnx");
  const legacy = await folder.put("decoder_model_merged.onnx");
  const refuses = (message: RegExp, options: Partial<Parameters<typeof makePlan>[0]>) =>
    rejects(
      makePlan({ ...short, model_id: model, configurations: [configuration("streaming_llm")], ...options }),
      (e) => {
        match((e as Error).message, message);
        return e instanceof InputError;
      },
    );
  const controls = [configuration("baseline"), configuration("recent_only")];
  await refuses(/^Cannot run h2o with .*model\.onnx: an ONNX export shows no attention/, {
    configurations: [...controls, h2o],
  });
  await refuses(/^Cannot use --attention explicit with .*: an export has the attention it was made with$/, {
    attention: "explicit",
  });
  await refuses(/^Cannot use --prefill_chunk with /, { prefill_chunk: 8 });
  await refuses(/^Cannot use --dtype float16 with .*model\.onnx: its cache is float32; export it in float16/, {
    dtype: "float16",
  });
  await refuses(/one attention mask, .* layer 1 holds more; have --skip_layers include 0/, { skip_layers: [1] });
  await refuses(/takes no position_ids and numbers tokens by what layer 0 holds; give --positions seed/, {
    model_id: legacy,
    skip_layers: [],
  });
  for (const positions of ["absolute", "seed"] as const) {
    const { refused } = await makePlan({
      ...short,
      model_id: legacy,
      skip_layers: positions === "seed" ? [] : [0],
      positions,
      configurations: [configuration("streaming_llm")],
    });
    equal(refused.size, 0);
  }
});

Deno.test("safetensors take precedence over an export that is not named", async () => {
  using folder = new ExportFolder();
  await folder.put("model.onnx");
  await folder.put("model_fp16.onnx");
  const taken = (path: string, dtype?: "auto" | "float32" | "float16") =>
    openModelFolder(path, dtype).export?.step.path.slice(folder.path.length + 1);
  equal(taken(folder.path), "model.onnx");
  equal(taken(folder.path, "float32"), "model.onnx");
  equal(taken(folder.path, "float16"), "model_fp16.onnx");
  folder.write("model.safetensors", Deno.readFileSync(join(original, "model.safetensors")));
  equal(taken(folder.path), undefined);
  equal(taken(join(folder.path, "model_fp16.onnx")), "model_fp16.onnx");
});
