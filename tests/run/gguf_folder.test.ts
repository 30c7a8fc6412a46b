/** GGUF files as models of runs: where they are converted, when anew, and what is refused. */
import { deepEqual, equal, match, notEqual, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { findModel } from "../../lib/run/plan/find_model.ts";
import { fromGguf } from "../../lib/run/plan/gguf_folder.ts";
import { weightsOf } from "../../lib/run/plan/weight_files.ts";
import { tinyGguf } from "../model/gguf/_gguf.ts";
import { temporaryFolder } from "../model/_models.ts";

/** Runs with a cache folder of its own. */
async function withCache(body: (folder: string, root: string) => Promise<void>): Promise<void> {
  using temporary = temporaryFolder();
  const before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", join(temporary.path, "cache"));
  try {
    const folder = join(temporary.path, "models");
    await Deno.mkdir(folder);
    await body(folder, join(temporary.path, "cache", "kvcompress", "gguf"));
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
  }
}

Deno.test("a GGUF file, or a folder with one, is converted once, and again once it changes", () =>
  withCache(async (folder, root) => {
    const file = join(folder, "tiny model.gguf");
    await Deno.writeFile(file, tinyGguf("llama-gqa", "llama"));
    const notes: string[] = [];
    const onNote = (note: string) => void notes.push(note);
    const first = (await findModel({ model_id: file, onNote })).folder;
    equal(join(first, ".."), root);
    match(first, /tiny_model-[0-9a-f]{16}$/);
    equal(weightsOf(openModelFolder(first)), "F32 (GGUF)");
    equal((await findModel({ model_id: folder, onNote })).folder, first);
    equal(notes.length, 1);
    match(notes[0]!, /^Converting tiny model\.gguf once, into /);
    await Deno.writeFile(file, tinyGguf("qwen3", "qwen3"));
    const second = (await findModel({ model_id: file })).folder;
    notEqual(second, first);
    equal(openModelFolder(second).spec.family, "qwen3");
  }));

Deno.test("conversions at the same time leave one folder, and an ended one leaves none", () =>
  withCache(async (folder, root) => {
    const file = join(folder, "tiny.gguf");
    await Deno.writeFile(file, tinyGguf("llama-gqa", "llama"));
    await rejects(fromGguf(file, { signal: AbortSignal.abort(new Error("ended")) }), /ended/);
    deepEqual([...Deno.readDirSync(root)], []);
    const [one, two] = await Promise.all([fromGguf(file), fromGguf(file)]);
    equal(one, two);
    deepEqual([...Deno.readDirSync(root)].map(({ name }) => join(root, name)), [one]);
  }));

Deno.test("several GGUF files, and a damaged one, are errors; safetensors come first", () =>
  withCache(async (folder, root) => {
    const good = tinyGguf("llama-gqa", "llama");
    await Deno.writeFile(join(folder, "a.gguf"), good.subarray(0, good.length - 1000));
    await rejects(fromGguf(folder), /Cannot read .*a\.gguf: .*truncated/);
    await Deno.writeFile(join(folder, "b.gguf"), good);
    await rejects(fromGguf(folder), /2 GGUF files \(a\.gguf, b\.gguf\); name one: --model_id .*a\.gguf$/);
    await Deno.writeTextFile(join(folder, "model.safetensors"), "");
    equal(await fromGguf(folder), folder);
    await fromGguf(join(folder, "b.gguf"));
    equal([...Deno.readDirSync(root)].length, 1);
  }));
