import { deepEqual, equal, throws } from "node:assert/strict";
import { dirname, join } from "@std/path";
import { HubCache } from "../../lib/hub/cache.ts";
import { cachedModel } from "../../lib/hub/cached_model.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { commitOf } from "./_hub_server.ts";

const A = commitOf("a");
const small = ["config.json", "tokenizer.json", "tokenizer_config.json"];

/** Makes a cache with some files of a commit, as left by a tool that fetches files one by one. */
function cacheWith(folder: TemporaryFolder, paths: readonly string[]): HubCache {
  const cache = new HubCache(folder.path, { repo: "org/name", type: "model", revision: A });
  for (const path of paths) {
    const file = join(cache.snapshot(A), path);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, "{}");
  }
  return cache;
}

for (
  const [what, paths, complete] of [
    ["nothing", [], undefined],
    ["all there is to read", [...small, "model.safetensors"], true],
    ["no word on tokenizer_config.json", ["config.json", "tokenizer.json", "model.safetensors"], false],
    ["an export, where there may be safetensors", [...small, "onnx/model.onnx"], false],
  ] as [string, string[], boolean | undefined][]
) {
  Deno.test(`cachedModel() of a cache with ${what}`, async () => {
    await using folder = new TemporaryFolder();
    equal(cachedModel(cacheWith(folder, paths))?.complete, complete);
  });
}

Deno.test("cachedModel() uses the list of all files if the cache has one", async () => {
  await using folder = new TemporaryFolder();
  const cache = cacheWith(folder, [...small, "onnx/model.onnx"]);
  const all = [...small, "model.safetensors", "onnx/model.onnx"];
  await cache.writeListing(A, Object.fromEntries(all.map((path) => [path, { size: 2, blob_id: "0" }])));
  equal(cachedModel(cache), undefined); // safetensors are to be fetched
  await cache.writeListing(A, Object.fromEntries([...small, "onnx/model.onnx"].map((path) => [path, { size: 2 }])));
  deepEqual(cachedModel(cache), { folder: cache.snapshot(A), commit: A, complete: true });
  await cache.writeListing(A, { "config.json": {}, "pytorch_model.bin": {} });
  throws(() => cachedModel(cache), /^InputError: Cannot use model org\/name: its weights are in pytorch_model\.bin/);
});
