import assert from "node:assert/strict";
import { drawInChild } from "../../lib/report/charts/draw_child.ts";
import type { Picture } from "../../lib/report/charts/pictures.ts";
import { writeResults } from "../../lib/report/results/results_file.ts";
import { writeTrace } from "../../lib/report/results/trace.ts";
import type { TraceSnapshot } from "../../lib/report/results/trace_types.ts";
import { inventResults } from "./_invent.ts";

// The parent has the permissions of a benchmark: it may start processes and use files, but has no --allow-ffi.
const permissions = { read: true, write: true, run: true, env: false, ffi: false, net: false, sys: false } as const;

Deno.test({
  name: "drawInChild() draws next to results.json, whatever the folder is called",
  permissions,
  fn: async () => {
    const parent = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
    try {
      const folder = `${parent}/a, b und ü=1`;
      await Deno.mkdir(folder);
      const half = { final_cache_size: 1000 };
      const run = inventResults({ baseline: [{}], streaming_256: [{}], streaming_512: [half] });
      const results = await writeResults(folder, run);
      const draws = async (picture: Picture, ...names: string[]) => {
        const paths = names.map((name) => `${folder}/${name}`);
        assert.deepEqual(await drawInChild(results, picture), { path: paths[0], paths });
      };
      await draws("comparison", "benchmark_comparison.png");
      await draws("budget", "quality_over_budget.png");
      await draws("frontier", "frontier.png");
      await draws("nll", "perplexity_along_text.png");
      assert.deepEqual(await drawInChild(results, "traces"), {
        warning: "Cannot draw trace_*.png: there is no trace in the run's folder",
      });
      const trace = { positions: "absolute", skip_layers: [], layers: 1, kv_heads: 1 };
      const snapshots: TraceSnapshot[] = [{ step: 9, tokens: 10, held: [[[[0, 4]]]] }];
      await writeTrace(folder, { configuration: "streaming_8@cache", ...trace, snapshots });
      await writeTrace(folder, { configuration: "l2_kr=0.5", ...trace, snapshots });
      await draws("traces", "trace_l2_kr=0.5.png", "trace_streaming_8@cache.png");
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
        "benchmark_comparison.png",
        "benchmark_comparison.svg",
        "frontier.png",
        "frontier.svg",
        "perplexity_along_text.png",
        "perplexity_along_text.svg",
        "quality_over_budget.png",
        "quality_over_budget.svg",
        "results.json",
        "trace_l2_kr=0.5.json",
        "trace_l2_kr=0.5.png",
        "trace_l2_kr=0.5.svg",
        "trace_streaming_8@cache.json",
        "trace_streaming_8@cache.png",
        "trace_streaming_8@cache.svg",
      ]);
      // The child may read the font.
      assert.match(await Deno.readTextFile(`${folder}/frontier.svg`), /@font-face/);
    } finally {
      await Deno.remove(parent, { recursive: true });
    }
  },
});

Deno.test({
  name: "drawInChild() turns a failure into a warning with its reason",
  permissions,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
    try {
      const path = `${folder}/results.json`;
      assert.deepEqual(await drawInChild(path), {
        warning: "Cannot draw benchmark_comparison.png: Cannot read results.json: there is no such file",
      });
      await Deno.writeTextFile(path, '{"config": {}}');
      assert.deepEqual(await drawInChild(path), {
        warning: "Cannot draw benchmark_comparison.png: Cannot read results.json: " +
          "config.model_id is missing, a string is needed",
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    const gone = await drawInChild(`${folder}/results.json`);
    assert.ok("warning" in gone && gone.warning.startsWith("Cannot draw benchmark_comparison.png: "));
  },
});

Deno.test({
  name: "drawInChild() warns where no process may be started",
  permissions: { ...permissions, run: false },
  fn: async () => {
    const outcome = await drawInChild("results.json");
    assert.ok("warning" in outcome && outcome.warning.includes("--allow-run"));
  },
});
