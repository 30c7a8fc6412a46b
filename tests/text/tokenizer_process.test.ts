/** The tokenizer's process gives the same results as the tokenizer, and can be ended at any time. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { InputError } from "../../lib/util/errors.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { TokenizerProcess } from "../../lib/text/tokenizer_process.ts";
import { Bench, childrenOf, isAlive, TemporaryFolder, tiny } from "../bench/_bench.ts";
import { embeddedJson, withFolder } from "./_tokenizers.ts";

const embedded = "lib/assets/novel-neox-8m";
/** A pattern that backtracks without end over any text of words, and its place in a tokenizer.json. */
const Regex = "([A-Za-z ,.]+)+#";
const PLACES = {
  pre_tokenizer: { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
  normalizer: { type: "Replace", pattern: { Regex }, content: "b" },
};
const words = "Call me Ishmael. Some years ago, never mind how long precisely, having little or no money. ";

Deno.test("a tokenizer in a process gives what it gives here", async () => {
  const here = await loadTokenizer(embedded);
  using tokenizer = new TokenizerProcess(embedded);
  const { prefix, encode } = await tokenizer.loaded;
  deepEqual(prefix, here.prefix);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => deepEqual(await encode(text), here.encode(text))),
    { numRuns: 50 },
  );
  // Half a surrogate pair is passed on unchanged, and answers come in the order of the requests.
  deepEqual(await encode("\ud83d a\nb\u2028"), here.encode("\ud83d a\nb\u2028"));
  const texts = ["one", words.repeat(2000), "two"];
  deepEqual(await Promise.all(texts.map((text) => encode(text))), texts.map((text) => here.encode(text)));
});

Deno.test("a tokenizer in a process refuses what it refuses here", async () => {
  using missing = new TokenizerProcess("lib/text");
  await rejects(missing.loaded, (error: Error) => {
    ok(error instanceof InputError);
    match(error.message, /^Cannot load the tokenizer: lib\/text\/tokenizer\.json does not exist/);
    return true;
  });
});

for (const [place, value] of Object.entries(PLACES)) {
  Deno.test(`a pattern without end in a ${place} ends by the signal`, async () => {
    const json = { ...await embeddedJson(), post_processor: null, [place]: value };
    await withFolder({ "tokenizer.json": json }, async (folder) => {
      const controller = new AbortController();
      using tokenizer = new TokenizerProcess(folder, controller.signal);
      const { encode } = await tokenizer.loaded;
      const going = Promise.resolve(encode(words));
      let ended = false;
      going.catch(() => ended = true);
      await new Promise((resolve) => setTimeout(resolve, 500));
      equal(ended, false); // otherwise the pattern proves nothing
      const reason = new Error("enough");
      controller.abort(reason);
      await rejects(going, (error) => error === reason);
      await rejects(Promise.resolve(encode("a")), (error) => error === reason);
    });
  });
}

/** Starts a run whose tokenizer never ends, and passes on its processes. */
async function endless(use: (run: Bench, children: number[]) => Promise<void>): Promise<void> {
  await using folder = new TemporaryFolder();
  const path = join(folder.path, "model");
  await Deno.mkdir(path);
  for (const name of ["config.json", "model.safetensors"]) await Deno.copyFile(join(embedded, name), join(path, name));
  await Deno.writeTextFile(
    join(path, "tokenizer.json"),
    JSON.stringify({ ...await embeddedJson(), pre_tokenizer: PLACES.pre_tokenizer }),
  );
  const run = new Bench([
    ...tiny,
    "--method",
    "baseline",
    "--model_id",
    path,
    "--output",
    join(folder.path, "results"),
  ]);
  await run.said(/1 configuration/);
  // Wait until only the tokenizer works.
  let children: number[] = [];
  for (let i = 0; i < 100; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    children = await childrenOf(run.process.pid);
    if (i > 10 && children.length === 1) break;
  }
  equal(children.length, 1);
  await use(run, children);
}

Deno.test({
  name: "bench: a tokenizer that never ends does so by SIGTERM, within two seconds",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    endless(async (run, children) => {
      const told = performance.now();
      run.process.kill("SIGTERM");
      const { code, stderr } = await run.ended;
      equal(code, 143, stderr);
      ok(performance.now() - told < 2000);
      for (const pid of children) ok(!await isAlive(pid));
    }),
});

Deno.test({
  name: "bench: a tokenizer that never ends does so when its parent is killed",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    endless(async (run, children) => {
      run.process.kill("SIGKILL");
      await run.ended;
      for (let i = 0; i < 20 && await isAlive(children[0]!); i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      ok(!await isAlive(children[0]!));
    }),
});
