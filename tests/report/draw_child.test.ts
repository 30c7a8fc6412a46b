import assert from "node:assert/strict";
import { drawInChild } from "../../lib/report/draw_child.ts";
import { writeResults } from "../../lib/report/results_file.ts";
import { inventResults } from "./_invent.ts";

// The parent as in a benchmark: it may start processes and use files, and has no --allow-ffi.
const permissions = { read: true, write: true, run: true, env: false, ffi: false, net: false, sys: false } as const;

Deno.test({
  name: "drawInChild() draws beside results.json, whatever the folder is called",
  permissions,
  fn: async () => {
    const parent = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
    try {
      const folder = `${parent}/a, b und ü=1`;
      await Deno.mkdir(folder);
      const results = await writeResults(folder, inventResults({ baseline: [{}], streaming_256: [{}] }));
      assert.deepEqual(await drawInChild(results), { path: `${folder}/benchmark_comparison.png` });
      assert.deepEqual(await drawInChild(results, "nll"), { path: `${folder}/perplexity_along_text.png` });
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      assert.deepEqual(names, ["benchmark_comparison.png", "perplexity_along_text.png", "results.json"]);
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
