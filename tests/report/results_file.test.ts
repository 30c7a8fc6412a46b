import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { readResults, RESULTS_FILE, writeResults } from "../../lib/report/results/results_file.ts";
import { aggregateAll } from "../../lib/report/results/stats.ts";
import { inventResults } from "./_invent.ts";

async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readResults() gives back what writeResults() wrote, by file and by folder, and leaves no other file", () =>
  inFolder(async (folder) => {
    const results = inventResults({ baseline: [{}, { perplexity: NaN }], streaming_256: "Out of memory" }, {
      max_positions: 2048,
    });
    await writeResults(folder, inventResults({ baseline: [{}] }));
    const path = await writeResults(folder, results);
    assert.deepEqual(await readResults(path), results);
    assert.deepEqual(await readResults(folder), results);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), [RESULTS_FILE]);
  }));

Deno.test("writeResults() keeps the names and nesting that scripts read", () =>
  inFolder(async (folder) => {
    const file = JSON.parse(await Deno.readTextFile(await writeResults(folder, inventResults({ baseline: [{}] }))));
    assert.deepEqual(Object.keys(file).slice(0, 4), ["config", "raw_results", "aggregated_stats", "baseline_stats"]);
    assert.equal(file.raw_results[0].final_cache_size, 2000);
    assert.equal(file.aggregated_stats.baseline.cache_size, 2000);
    assert.equal(file.baseline_stats.throughput, 156.78);
  }));

Deno.test("readResults() takes whose kernels ran, and results from before that was said", () =>
  inFolder(async (folder) => {
    const results = inventResults({ baseline: [{}], keydiff_256: [{}] });
    await writeResults(folder, results);
    assert.deepEqual((await readResults(folder)).configurations[0]!.kernels, undefined);
    Object.assign(results.configurations[0]!, { kernels: "own" });
    Object.assign(results.configurations[1]!, { kernels: "ort", kernels_reason: "the method's score reads keys" });
    await writeResults(folder, results);
    assert.deepEqual(await readResults(folder), results);
    Object.assign(results.configurations[1]!, { kernels: "other" });
    await writeResults(folder, results);
    await assert.rejects(() => readResults(folder), /configurations\[1\]\.kernels is "other"/);
  }));

Deno.test("writeResults() keeps to strict JSON, and readResults() makes no 0 of what is not finite or was not measured", () =>
  inFolder(async (folder) => {
    const results = inventResults({
      baseline: [{ perplexity: NaN, nll: [3, NaN], peak_vram_gb: null, vram_method: "unavailable" }, {
        peak_vram_gb: 3,
        vram_method: "device",
      }],
    });
    Object.assign(results.configurations[0]!, {
      dropped: { speed: 0, quality: 3 },
      notes: ["perplexity is not finite"],
    });
    await writeResults(folder, results);
    const read = await readResults(folder);
    assert.deepEqual(read, results);
    assert.ok(
      Number.isNaN(read.raw_results[0]!.perplexity) && Number.isNaN(read.aggregated_stats["baseline"]!.perplexity),
    );
    assert.equal(read.raw_results[0]!.peak_vram_gb, null);
    assert.equal(read.aggregated_stats["baseline"]!.peak_vram_gb, null);
    assert.ok(Number.isNaN(aggregateAll(read.raw_results)["baseline"]!.perplexity));
  }));

Deno.test("readResults() keeps fields it does not know", () =>
  inFolder(async (folder) => {
    const results = { ...inventResults({ baseline: [{}] }), note: { from: "elsewhere" } };
    await writeResults(folder, results);
    assert.deepEqual(await readResults(folder), results);
  }));

Deno.test("readResults() names the file and the field that is wrong", () =>
  inFolder(async (folder) => {
    const path = `${folder}/${RESULTS_FILE}`;
    // deno-lint-ignore no-explicit-any
    const reads = async (change: (results: any) => void, message: string) => {
      const results = structuredClone(inventResults({ "l2_kr=0.8": [{}] }));
      change(results);
      await Deno.writeTextFile(path, JSON.stringify(results));
      await assert.rejects(readResults(folder), new InputError(`Cannot read ${path}: ${message}`));
    };
    await reads((r) => r.raw_results[0].nll[1] = "3", 'raw_results[0].nll[1] is "3", a number is needed');
    await reads((r) => r.config.max_positions = "2k", 'config.max_positions is "2k", a number is needed');
    await reads((r) => delete r.config.dtype, "config.dtype is missing, a string is needed");
    await reads((r) => r.config.device = "tpu", 'config.device is "tpu", "cuda" or "cpu" is needed');
    await reads(
      (r) => r.aggregated_stats["l2_kr=0.8"].std = 1,
      'aggregated_stats["l2_kr=0.8"].std is 1, an object is needed',
    );
    await reads((r) => r.configurations = {}, "configurations is an object, an array is needed");
  }));

Deno.test("readResults() says that a file is missing or not JSON", () =>
  inFolder(async (folder) => {
    const path = `${folder}/${RESULTS_FILE}`;
    await assert.rejects(readResults(folder), new InputError(`Cannot read ${path}: there is no such file`));
    await Deno.writeTextFile(path, "{");
    await assert.rejects(readResults(path), /^InputError: Cannot read .*results\.json: it is not JSON \(/);
    await Deno.writeTextFile(path, "[]");
    await assert.rejects(readResults(path), /the content is an array, an object is needed/);
  }));

Deno.test("writeResults() says that a folder cannot be written to, and what would do", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(
      writeResults(`${folder}/file`, inventResults({})),
      new InputError(
        `Cannot write results to ${folder}/file: there is a file where a folder is needed; ` +
          `name a folder you may write to with --output`,
      ),
    );
  }));
