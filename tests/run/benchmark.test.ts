import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { definePolicy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { keyNorm } from "../../lib/policies/score.ts";
import type { ProgressEvent } from "../../lib/run/progress_event.ts";
import { type BenchmarkOptions, runBenchmark } from "../../lib/run/benchmark.ts";
import { TemporaryFolder } from "../bench/_bench.ts";

const baseline = { name: "baseline", policy: methods.baseline() };
const small = {
  configurations: [baseline],
  device: "cpu",
  num_samples: 1,
  max_tokens: 80,
  prompt_tokens: 40,
  max_new_tokens: 6,
  num_warmup: 0,
  repetitions: 1,
  output: null,
} as const satisfies BenchmarkOptions;

Deno.test("runBenchmark() measures every method, and what never drops anything as the baseline", async () => {
  const events: ProgressEvent[] = [];
  const { results, folder, chart, interrupted } = await runBenchmark({
    ...small,
    configurations: [
      baseline,
      { name: "recent_only", policy: methods.recent_only({ window_size: 24 }) },
      { name: "streaming_llm", policy: methods.streaming_llm({ start_size: 4, recent_size: 20 }) },
      { name: "fix_size_l2", policy: methods.fix_size_l2({ fix_kv_size: 24, keep_ratio: 0.5 }) },
      { name: "l2_compress", policy: methods.l2_compress({ keep_ratio: 0.9, prune_after: 24 }) },
      { name: "h2o_l2", policy: methods.h2o_l2({ start_size: 4, heavy_hitter_size: 8, recent_size: 12 }) },
      { name: "snapkv_lite", policy: methods.snapkv_lite({ observation_window: 8, keep_size: 24 }) },
      { name: "pyramid_kv", policy: methods.pyramid_kv({ base_size: 24, min_size: 12 }) },
      { name: "adaptive_l2", policy: methods.adaptive_l2({ target_size: 24, soft_limit: 16, hard_limit: 40 }) },
      { name: "h2o", policy: methods.h2o({ heavy_size: 12, recent_size: 12 }) },
      { name: "tova", policy: methods.tova({ cache_size: 24 }) },
      { name: "snapkv", policy: methods.snapkv({ cache_size: 24, observation_window: 8 }) },
      { name: "pyramid_snapkv", policy: methods.pyramid_snapkv({ cache_size: 24, observation_window: 8, beta: 2 }) },
      { name: "keydiff", policy: methods.keydiff({ cache_size: 24, recent_size: 6 }) },
      { name: "large", policy: methods.streaming_llm({ start_size: 4, recent_size: 76 }) },
    ],
    skip_layers: [0],
    onProgress: (event) => events.push(event),
  });
  deepEqual([folder, chart, interrupted], [null, null, false]);
  deepEqual(results.failures, []);
  deepEqual(new Set(results.configurations.map(({ status }) => status)), new Set(["done"]));
  // A CPU leaves no choice of kernels, so no reason is recorded.
  deepEqual(
    new Set(results.configurations.map(({ kernels, kernels_reason: why }) => `${kernels} ${why}`)),
    new Set(["ort undefined"]),
  );
  equal(results.config.method, "12_methods");
  // The sizes known beforehand are those that the caches then hold.
  const raw = results.raw_results;
  for (const { name, dropped, notes } of results.configurations) {
    const { layer_cache_sizes: sizes } = raw.find(({ method }) => method === name)!;
    equal(dropped!.quality, sizes.reduce((sum, size) => sum + 80 - size, 0), name);
    deepEqual(
      notes,
      name === "large"
        ? ["nothing was dropped: it keeps all 80 tokens of the quality pass and all 45 of the speed pass"]
        : undefined,
      name,
    );
  }
  const of = Object.fromEntries(results.raw_results.map((raw) => [raw.method, raw]));
  const equal24 = ["recent_only", "streaming_llm", "fix_size_l2", "h2o_l2", "snapkv_lite", "h2o", "tova", "snapkv"];
  for (const name of [...equal24, "keydiff"]) {
    deepEqual(of[name]!.layer_cache_sizes, [80, 24, 24, 24, 24, 24, 24, 24], name);
    // A prompt of 40 is cut to 24 at once; after that one entry leaves per step, in 7 layers and 8 heads.
    deepEqual(of[name]!.entries_copied, { speed: 7 * 8 * (24 + 5), quality: 7 * 8 * 56 }, name);
  }
  deepEqual(of["pyramid_snapkv"]!.layer_cache_sizes, [80, 30, 27, 25, 23, 21, 18, 16]);
  const explicit = results.configurations.filter(({ attention }) => attention === "explicit");
  deepEqual(explicit.map(({ name }) => name), ["h2o", "tova", "snapkv", "pyramid_snapkv"]);
  equal(new Set(results.raw_results.map(({ perplexity }) => perplexity)).size, 14, "each but the large keeps its own");
  deepEqual(of["pyramid_kv"]!.layer_cache_sizes, [80, 21, 19, 17, 15, 14, 12, 12]);
  for (const name of ["l2_compress", "adaptive_l2"]) {
    ok(of[name]!.final_cache_size < 41, name);
    equal(of[name]!.layer_cache_sizes[0], 80, name);
  }
  deepEqual(of["large"]!.nll, of["baseline"]!.nll);
  deepEqual(of["large"]!.layer_cache_sizes, of["baseline"]!.layer_cache_sizes);

  deepEqual(new Set(events.map(({ phase }) => phase)), new Set(["load", "speed", "quality"]));
  // The speed of all in any order, then the quality of all in the table's; each has its turn at one time.
  const turns = events.map(({ pass, index }) => `${pass} ${index}`).filter((turn, i, all) => turn !== all[i - 1]);
  const quality = results.configurations.map((_, index) => `quality ${index}`);
  deepEqual(turns.slice(15), quality);
  deepEqual(turns.slice(0, 15).toSorted(), quality.map((turn) => turn.replace("quality", "speed")).toSorted());
  const shares = events.map(({ share }) => share);
  deepEqual(shares, shares.toSorted((a, b) => a - b));
  deepEqual([shares[0], shares.at(-1)], [0, 1]);
  const last = events.at(-1)!;
  deepEqual([last.configuration, last.index, last.count, last.done, last.total], ["large", 14, 15, 80, 80]);
  equal(last.perplexity, of["large"]!.perplexity);
});

Deno.test("runBenchmark() reads a prompt in chunks, and needs room for what is kept and one of them", async () => {
  const { results } = await runBenchmark({
    ...small,
    configurations: [
      baseline,
      { name: "streaming", policy: methods.streaming_llm({ start_size: 4, recent_size: 20 }) },
    ],
    skip_layers: [],
    prompt_tokens: 56,
    prefill_chunk: 16,
  });
  equal(results.config.prefill_chunk, 16);
  const [full, streaming] = results.raw_results;
  const entry = 2 * 4 * 8 * 8 * 32; // K and V in float32, 8 layers, 8 heads of 32
  equal(full!.memory!.kv_allocated, entry * 61);
  equal(streaming!.memory!.kv_allocated, entry * (24 + 16));
  equal(streaming!.memory!.kv_held, entry * 24);
  // A pass's own entries are held until it evicts; the eviction after the last chunk belongs to decode.
  const { load, prefill, decode } = streaming!.memory!.phases!;
  deepEqual([load, prefill, decode].map(({ kv_held }) => [kv_held.peak / entry, kv_held.end / entry]), [
    [0, 0],
    [24 + 16, 24 + 8],
    [24 + 8, 24],
  ]);
  for (const { kv_allocated } of [prefill, decode]) deepEqual(kv_allocated, { peak: entry * 40, end: entry * 40 });
  for (const phase of [load, prefill, decode]) {
    deepEqual(phase.process, { peak: null, end: null }); // a CPU has no NVML
    ok(phase.allocator_reserved! >= phase.allocator.end! && phase.allocator.end! >= load.allocator.end!);
    ok(phase.buffers >= phase.kv_allocated.end && phase.host_rss > phase.buffers);
  }
  // A chunk needs more working memory than a step.
  ok(prefill.allocator.peak! > decode.allocator.peak! && decode.allocator.peak! > decode.allocator.end!);
  equal(streaming!.memory!.allocator_peak, prefill.allocator.peak);
  deepEqual([streaming!.memory!.process_peak, streaming!.memory!.process_before], [null, null]);
  equal(streaming!.peak_vram_gb, 0);
  // Chunks of 16, 16, 16 and 8: three of them exceed the budget.
  equal(streaming!.entries_copied.speed, 8 * 8 * (3 * 24 + 5));
  equal(streaming!.entries_copied.quality, 8 * 8 * 56);
});

Deno.test("runBenchmark() measures a custom policy, with sizes by layer and a score", async () => {
  const own = definePolicy({
    name: "own",
    params: { size: 16 },
    keep: ({ size }) => ({ layer, entries }) =>
      entries > size + layer ? { sink: 2, heavy: 4 + layer, recent: 10 } : "all",
    score: () => keyNorm,
  });
  const { results } = await runBenchmark({
    ...small,
    configurations: [{ name: "mine", policy: own() }],
    skip_layers: [],
  });
  deepEqual(results.failures, []);
  deepEqual(results.raw_results[0]!.layer_cache_sizes, [16, 17, 18, 19, 20, 21, 22, 23]);
  equal(results.config.method, "own");
  deepEqual(results.configurations[0]!.params, { size: 16 });
  equal(results.baseline_stats, null);
});

Deno.test("runBenchmark() numbers tokens in every way that is asked for", async () => {
  const { results } = await runBenchmark({
    ...small,
    configurations: [
      baseline,
      { name: "streaming", policy: methods.streaming_llm({ start_size: 4, recent_size: 20 }) },
      { name: "large", policy: methods.keydiff({ cache_size: 80 }), positions: "cache" },
    ],
    skip_layers: [],
    positions: ["absolute", "cache", "seed"],
  });
  deepEqual(results.failures, []);
  equal(results.config.positions, "absolute,cache,seed");
  deepEqual(results.configurations.map(({ name, positions, attention }) => [name, positions, attention]), [
    ["baseline", "absolute", "fused"],
    ["streaming@absolute", "absolute", "fused"],
    ["streaming@cache", "cache", "explicit"],
    ["streaming@seed", "seed", "fused"],
    ["large", "cache", "explicit"],
  ]);
  const [full, absolute, cache, seed, large] = results.raw_results.map(({ nll }) => nll);
  // As long as nothing is dropped, all number alike: 25 entries, including the newest.
  const same = (a: number[], b: number[]) => a.every((nll, i) => Math.abs(nll - b[i]!) < 1e-4);
  for (const other of [absolute!, cache!, seed!]) ok(same(full!.slice(0, 24), other.slice(0, 24)));
  ok(same(full!, large!));
  for (const [a, b] of [[absolute, cache], [absolute, seed], [cache, seed]]) ok(!same(a!.slice(30), b!.slice(30)));
});

Deno.test("runBenchmark() tells what the caches held", async () => {
  const { traces, folder } = await runBenchmark({
    ...small,
    configurations: [
      baseline,
      { name: "streaming", policy: methods.streaming_llm({ start_size: 4, recent_size: 20 }) },
      { name: "tova", policy: methods.tova({ cache_size: 24 }), positions: "cache" },
    ],
    num_samples: 2,
    skip_layers: [7],
    trace_every: 30,
  });
  equal(folder, null);
  const [full, streaming, tova] = traces;
  deepEqual(full!.snapshots.map(({ held }) => held), Array(3).fill(Array(8).fill([])));
  const { snapshots, ...head } = streaming!;
  deepEqual(head, { configuration: "streaming", positions: "absolute", skip_layers: [7], layers: 8, kv_heads: 8 });
  deepEqual(snapshots.map(({ step, tokens }) => [step, tokens]), [[29, 30], [59, 60], [79, 80]]);
  const layers = (...runs: [number, number][]) => [...Array(7).fill(Array(8).fill(runs)), []];
  deepEqual(
    snapshots.map(({ held }) => held),
    [[10, 20], [40, 20], [60, 20]].map(([first, count]) => layers([0, 4], [first!, count!])),
  );
  equal(tova!.positions, "cache");
  const { held } = tova!.snapshots.at(-1)!;
  for (const heads of held.slice(0, 7)) {
    // All heads of a layer make the same choice
    for (const runs of heads) deepEqual(runs, heads[0]);
    equal(heads[0]!.reduce((sum, [, count]) => sum + count, 0), 24);
  }
  ok(JSON.stringify(held[0]) !== JSON.stringify(held[3]));
});

Deno.test("runBenchmark() refuses what cannot be measured", async () => {
  const refuses = (options: Partial<BenchmarkOptions>, message: RegExp) =>
    rejects(runBenchmark({ ...small, ...options }), (error: Error) => {
      ok(error instanceof InputError, String(error));
      match(error.message, message);
      return true;
    });
  const impossible = definePolicy({
    name: "impossible",
    params: {},
    keep: () => ({ entries }) => entries > 50 ? { sink: 0, heavy: 0, recent: 60 } : "all",
  });
  await refuses({ configurations: [] }, /there is no configuration/);
  await refuses({ configurations: [baseline, baseline] }, /two configurations are named "baseline"/);
  await refuses({ configurations: [{ ...baseline, name: "constructor" }] }, /is named "constructor", which every/);
  await refuses(
    { configurations: [{ name: "x", policy: impossible() }] },
    /^Cannot run impossible: in layer 0 with 51 /,
  );
  await refuses({ skip_layers: [-1] }, /^Cannot skip layer -1/);
  await refuses({ num_samples: 0 }, /^Cannot run with num_samples 0: give an integer of at least 1/);
  await refuses({ max_new_tokens: 1 }, /^Cannot run with max_new_tokens 1: give an integer of at least 2/);
  await refuses({ max_tokens: NaN }, /^Cannot run with max_tokens NaN/);
  await refuses({ prefill_chunk: 0 }, /^Cannot run with prefill_chunk 0: give an integer of at least 1/);
  await refuses({ trace_every: 0 }, /^Cannot run with trace_every 0: give an integer of at least 1/);
  await refuses({ positions: "relative" as "cache" }, /^Cannot run with positions relative: .*absolute, cache, seed/);
  await refuses({ positions: [] }, /^Cannot run with positions \[\]/);
  await refuses(
    { attention: "fused", configurations: [baseline, { name: "tova_8", policy: methods.tova({ cache_size: 8 }) }] },
    /^Cannot use --attention fused with tova_8: it keeps entries by the attention they are paid.*; leave it to auto/,
  );
  await refuses(
    { attention: "fused", positions: "cache" },
    /^Cannot use --attention fused with baseline: keys at positions in the cache/,
  );
  await refuses({ model_id: "/no/such/folder" }, /no such folder/);
});

Deno.test("runBenchmark() throws the signal's reason where it is ended before it begins", async () => {
  const reason = new Error("enough");
  await rejects(runBenchmark({ ...small, signal: AbortSignal.abort(reason) }), reason);
});

Deno.test("runBenchmark() ends its process and throws what a callback throws", async () => {
  const onProgress = () => {
    throw new Error("no progress");
  };
  await rejects(runBenchmark({ ...small, onProgress }), /no progress/);
});

Deno.test("runBenchmark() goes on where results can no longer be written, and says so", async () => {
  await using folder = new TemporaryFolder();
  const notes: string[] = [];
  const run = await runBenchmark({
    ...small,
    output: folder.path,
    onNote: (note) => notes.push(note),
    onProgress: () => folder.names()!.forEach((name) => Deno.removeSync(`${folder.path}/${name}`, { recursive: true })),
  });
  equal(run.results.configurations[0]!.status, "done");
  deepEqual([run.folder, run.chart], [null, null]);
  match(notes.at(-1)!, /^Cannot write results to /);
});
