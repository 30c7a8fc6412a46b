/** results.json files in trees of folders. */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { cellTerms, seriesKey } from "../../lib/study/cell_terms.ts";
import { findResults, resultFiles, type SkippedFile } from "../../lib/study/find_results.ts";
import { writeResults } from "../../lib/report/results/results_file.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { inventResults, inventRounds } from "../report/_invent.ts";

async function write(root: string, folder: string, results = inventResults({ baseline: [{}] })): Promise<string> {
  const path = join(root, folder);
  await Deno.mkdir(path, { recursive: true });
  return await writeResults(path, results);
}

Deno.test("findResults() reads runs of both schemas, and the finished cells of a sweep", async () => {
  await using folder = new TemporaryFolder();
  const root = folder.path;
  const old = await write(root, "b_run");
  const recent = await write(root, "a/run", inventRounds({ baseline: [{}], tova: [{}] }));
  const cell = await write(root, "sweep/cells/0123456789abcdef");
  await write(root, "sweep/jobs/one");
  await write(root, "sweep/claims/one");
  await write(root, "sweep/cells/.making");
  await Deno.writeTextFile(join(root, "sweep/plan.json"), "{}");
  // A folder of this name elsewhere is one as any other.
  const jobs = await write(root, "c/jobs/one");
  await Deno.writeTextFile(join(root, "c/other.json"), "{}");
  deepEqual(await resultFiles([root]), [recent, old, jobs, cell]);
  const found = await findResults([root]);
  deepEqual(found.map(({ file }) => file), [recent, old, jobs, cell]);
  deepEqual(found.map(({ results }) => results.schema ?? 1), [2, 1, 1, 1]);
});

Deno.test("findResults() follows links, and takes each file once", async () => {
  await using folder = new TemporaryFolder();
  const root = folder.path;
  const file = await write(root, "run");
  await Deno.symlink("..", join(root, "run/loop"));
  await Deno.symlink("nowhere", join(root, "run/broken"));
  await Deno.symlink(join(root, "run"), join(root, "z_link"));
  deepEqual(await resultFiles([root]), [file]);
  deepEqual(await resultFiles([file, join(root, "z_link"), root]), [file]);
  deepEqual(await resultFiles([join(root, "z_link")]), [join(root, "z_link/results.json")]);
});

Deno.test("findResults() names what it cannot read", async () => {
  await using folder = new TemporaryFolder();
  const root = folder.path;
  const good = await write(root, "good");
  const damaged = await write(root, "damaged");
  await Deno.truncate(damaged, 100);
  await Deno.mkdir(join(root, "foreign"));
  await Deno.writeTextFile(join(root, "foreign/results.json"), '{"numFailedTests": 0}');
  const skipped: SkippedFile[] = [];
  const found = await findResults([root], (file) => skipped.push(file));
  deepEqual(found.map(({ file }) => file), [good]);
  deepEqual(skipped.map(({ file }) => file), [damaged, join(root, "foreign/results.json")]);
  match(skipped[0]!.reason, /^Cannot read .*damaged.results\.json: it is not JSON/);
  match(skipped[1]!.reason, /^Cannot read .*foreign.results\.json: config is missing/);
  await rejects(findResults([root]), { name: "InputError" });
  await rejects(findResults([join(root, "gone")], () => {}), {
    name: "InputError",
    message: /^Cannot read .*gone: there is no such file or folder/,
  });
});

Deno.test("a cell's key stays over builds, machines and folders, and changes with each term", () => {
  const of = (
    config: Parameters<typeof inventResults>[1] = {},
    change: (r: ReturnType<typeof inventResults>) => void = () => {},
  ) => {
    const results = inventResults({ tova_256: [{}] }, config);
    change(results);
    return seriesKey(cellTerms(results, results.configurations[0]!));
  };
  const key = of();
  equal(of({ model_id: "/elsewhere/pythia-2.8b/", timestamp: "20260101_000000", seed: 3 }), key);
  equal(of({ kernels: "auto" }), key);
  equal(of({}, ({ environment }) => Object.assign(environment, { code_sha256: "1", host: "b", git_commit: "c" })), key);
  // What ran in place of what was asked for is a finding, not another cell.
  equal(
    of({}, ({ configurations: [record] }) => Object.assign(record!, { kernels: "ort", attention: "explicit" })),
    key,
  );
  const others = [
    of({ model_id: "other" }),
    of({ dataset: "other" }),
    of({ split: "test" }),
    of({ prompt_tokens: 129 }),
    of({ max_new_tokens: 1 }),
    of({ max_tokens: 1 }),
    of({ prefill_chunk: 64 }),
    of({ skip_layers: [] }),
    of({ device: "cpu" }),
    of({ dtype: "float32" }),
    of({ kernels: "ort" }),
    of({ weights: "onnx/model.onnx" }),
    of({}, ({ configurations: [record] }) => record!.params = { cache_size: 3 }),
    of({}, ({ configurations: [record] }) => record!.positions = "cache"),
    of({}, ({ configurations: [record] }) => record!.name = "tova_257"),
    of({}, ({ configurations: [record] }) => record!.dtype = "bfloat16"),
  ];
  equal(new Set([key, ...others]).size, others.length + 1);
});
