/** The distance from the full cache in whole runs. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { methods } from "../../lib/policies/registry.ts";
import { readResults } from "../../lib/report/results/results_file.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { type BenchmarkOptions, runBenchmark } from "../../lib/run/benchmark.ts";
import { TemporaryFolder } from "../bench/_bench.ts";

const baseline = { name: "baseline", policy: methods.baseline() };
const again = { name: "again", policy: methods.baseline() };
const streaming = { name: "streaming", policy: methods.streaming_llm({ start_size: 4, recent_size: 12 }) };
const options = {
  configurations: [baseline, streaming, again],
  device: "cpu",
  passes: "quality",
  num_samples: 2,
  max_tokens: 48,
  output: null,
} satisfies BenchmarkOptions;

const distances = ({ raw_results }: BenchmarkResults, name: string) =>
  raw_results.filter(({ method }) => method === name).map(({ divergence }) => divergence);

/** Sets the folder for temporary files until it is disposed of. */
function temporaryFiles(path: string): Disposable {
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", path);
  return {
    [Symbol.dispose]: () => before === undefined ? Deno.env.delete("TMPDIR") : Deno.env.set("TMPDIR", before),
  };
}

Deno.test("a run tells how far every configuration is from the full cache: the same one is at 0 in every step", async () => {
  await using temporary = new TemporaryFolder();
  let results!: BenchmarkResults;
  {
    using _tmp = temporaryFiles(temporary.path);
    ({ results } = await runBenchmark(options));
  }
  deepEqual(temporary.names(), []);
  deepEqual(distances(results, "baseline"), [undefined, undefined]);
  for (const distance of distances(results, "again")) {
    deepEqual([distance!.kl.length, Math.max(...distance!.kl), Math.min(...distance!.same_top)], [48, 0, 1]);
  }
  const far = distances(results, "streaming");
  for (const distance of far) {
    // As long as nothing is dropped, it is the full cache.
    deepEqual(distance!.kl.slice(0, 17), new Array(17).fill(0));
    ok(distance!.kl.slice(17).every((kl) => kl > 0));
  }
  equal(results.divergence!["again"]!.mean_kl.high, 0);
  const { mean_kl, steps } = results.divergence!["streaming"]!;
  ok(mean_kl.low > 0 && mean_kl.low < mean_kl.estimate && mean_kl.estimate < mean_kl.high && steps === 96);

  // A full cache that is no row of the table is measured all the same, and recorded nowhere.
  const { results: alone } = await runBenchmark({ ...options, configurations: [streaming] });
  deepEqual(distances(alone, "streaming"), far);
  deepEqual([alone.raw_results.length, alone.failures], [2, []]);

  const { results: without } = await runBenchmark({ ...options, divergence: false });
  deepEqual([without.divergence, without.config.divergence], [{}, false]);
});

Deno.test("a resumed run compares what is left with the full cache, which is read again", async () => {
  await using temporary = new TemporaryFolder();
  const end = new AbortController();
  const { folder } = await runBenchmark({
    ...options,
    output: temporary.path,
    signal: end.signal,
    onProgress: ({ configuration, sample, phase }) => {
      if (configuration === "streaming" && sample === 1 && phase === "quality") end.abort();
    },
  });
  equal((await readResults(folder!)).failures[0]!.quality!.length, 1);
  const { results } = await runBenchmark({ ...options, resume: folder! });
  const { results: whole } = await runBenchmark(options);
  for (const name of ["streaming", "again"]) deepEqual(distances(results, name), distances(whole, name), name);
  deepEqual(results.divergence, whole.divergence);
  deepEqual(results.failures, []);
});

Deno.test("without a place for the logits a run goes on without distances, and says why", async () => {
  const notes: string[] = [];
  using _tmp = temporaryFiles("/nowhere/at/all");
  const { results } = await runBenchmark({ ...options, onNote: (note) => notes.push(note) });
  deepEqual([results.failures, results.divergence], [[], {}]);
  ok(notes.some((note) => note.startsWith("The distance from the full cache is not measured: ")), notes.join("\n"));
});
