/** Only regular files are opened. Others are refused at once, because opening them could wait for ever. */
import { equal, match, ok, rejects, throws } from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/util/errors.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { NotRegular, openRegular, readRegularSync } from "../../lib/util/regular_file.ts";
import { sha256OfFile } from "../../lib/util/sha256.ts";
import { openDataset } from "../../lib/text/dataset.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { Bench, childrenOf, TemporaryFolder, tiny } from "../bench/_bench.ts";
import { ExportFolder } from "../model/_exports.ts";

const embedded = "lib/assets/novel-neox-8m";
const unix = Deno.build.os !== "windows";

function mkfifo(path: string): void {
  ok(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
}

/** Files that are not regular, with their name in messages. */
const OTHERS: readonly (readonly [RegExp, (path: string) => void])[] = [
  [/it is a pipe \(FIFO\); only regular files are read here/, mkfifo],
  [/it is a device; only regular files are read here/, (path) => Deno.symlinkSync("/dev/zero", path)],
];

/** Makes the embedded model with something else in place of a file. */
async function model(folder: string, name: string, put: (path: string) => void): Promise<string> {
  const path = join(folder, "model");
  await Deno.mkdir(path);
  for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
    await Deno.copyFile(join(embedded, name), join(path, name));
  }
  await Deno.remove(join(path, name)).catch(() => {});
  put(join(path, name));
  return path;
}

for (const [message, put] of OTHERS) {
  Deno.test({
    name: `a model's files are regular ones: ${message.source.slice(0, 20)}`,
    ignore: !unix,
    fn: async () => {
      for (const name of ["config.json", "model.safetensors"]) {
        await using folder = new TemporaryFolder();
        const path = await model(folder.path, name, put);
        throws(() => openModelFolder(path), (error) => error instanceof InputError && message.test(error.message));
      }
      for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
        await using folder = new TemporaryFolder();
        const path = await model(folder.path, name, put);
        await rejects(loadTokenizer(path), (error) => error instanceof InputError && message.test(error.message));
      }
      {
        await using folder = new TemporaryFolder();
        const path = await model(folder.path, "model.safetensors", () => {});
        await Deno.writeTextFile(
          join(path, "model.safetensors.index.json"),
          JSON.stringify({ weight_map: { a: "shard.safetensors" } }),
        );
        put(join(path, "shard.safetensors"));
        throws(() => openModelFolder(path), message);
        await Deno.remove(join(path, "model.safetensors.index.json"));
        put(join(path, "model.safetensors.index.json"));
        throws(() => openModelFolder(path), message);
      }
      {
        using folder = new ExportFolder();
        put(join(folder.path, "model.onnx"));
        throws(
          () => openModelFolder(folder.path),
          (error) => error instanceof InputError && message.test(error.message),
        );
      }
      {
        using folder = new ExportFolder();
        await folder.put("fused.onnx", "model.onnx");
        put(join(folder.path, "model.onnx.data"));
        throws(
          () => openModelFolder(folder.path),
          (error) => error instanceof InputError && message.test(error.message),
        );
      }
    },
  });

  Deno.test({
    name: `a folder's texts are regular files: ${message.source.slice(0, 20)}`,
    ignore: !unix,
    fn: async () => {
      for (const name of ["a.txt", "a.txt.gz", "a.jsonl", "a.json", "a.parquet"]) {
        await using folder = new TemporaryFolder();
        put(join(folder.path, name));
        const { texts } = await openDataset({ dataset: folder.path });
        await rejects(
          Array.fromAsync(texts, (text) => text.head(1)),
          (error) => error instanceof InputError && message.test(error.message) && error.message.includes(name),
        );
      }
    },
  });
}

Deno.test("readRegularSync() reads files up to their limit", async () => {
  await using folder = new TemporaryFolder();
  const path = join(folder.path, "config.json");
  await Deno.writeTextFile(path, "12345");
  equal(readRegularSync(path, 5).length, 5);
  throws(
    () => readRegularSync(path, 4),
    (error) => error instanceof NotRegular && /it has 5 bytes/.test(error.message),
  );
  await rejects(openRegular(folder.path), /it is a folder/);
  // A sparse file of any size takes no room on the disk.
  Deno.truncateSync(path, 100e9);
  throws(() => openModelFolder(folder.path), /config\.json: it has 100000000000 bytes; .* up to 64 MiB/);
});

/** Runs a script in a shell; returns its exit code and output. */
async function shell(script: string, args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  return { code, out, err };
}

Deno.test({ name: "bench: a shell's <(…) is a text, with its hash", ignore: !unix }, async () => {
  await using folder = new TemporaryFolder();
  const book = join(folder.path, "book.txt");
  // Longer than a pipe holds, and than one read.
  await Deno.writeTextFile(book, "Call me Ishmael. Some years ago, never mind how long precisely, ".repeat(20_000));
  const args = [...tiny, "--method", "baseline", "--json", "--output", join(folder.path, "results")];
  const run = `"${Deno.execPath()}" task -q bench "\${@:2}" --dataset`;
  const piped = await shell(`${run} <(cat "$1")`, [book, ...args]);
  equal(piped.code, 0, piped.err);
  const { environment, raw_results } = JSON.parse(piped.out);
  equal(environment.text_sha256, await sha256OfFile(book));
  equal(raw_results.length, 2);
  const closed = await shell(`${run} /dev/fd/63`, [book, ...args]);
  equal(closed.code, 2);
  match(closed.err, /^Cannot read --dataset \/dev\/fd\/63: nothing is open there; .*--dataset -$/m);
});

Deno.test(
  { name: "bench: a pipe that nobody writes to ends by SIGTERM", ignore: Deno.build.os !== "linux" },
  async () => {
    await using folder = new TemporaryFolder();
    const pipe = join(folder.path, "pipe.txt");
    mkfifo(pipe);
    const run = new Bench([
      ...tiny,
      "--method",
      "baseline",
      "--dataset",
      pipe,
      "--output",
      join(folder.path, "results"),
    ]);
    await run.said(/1 configuration/);
    // Wait until only the text is missing: the tokenizer's process waits for it.
    for (let i = 0; i < 100; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (i > 10 && (await childrenOf(run.process.pid)).length === 1) break;
    }
    const told = performance.now();
    run.process.kill("SIGTERM");
    const { code, stderr } = await run.ended;
    equal(code, 143, stderr);
    ok(performance.now() - told < 2000);
  },
);
