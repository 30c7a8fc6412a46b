/** The benchmark on models of a hub: a server on loopback that acts as the hub, and its cache. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { hubModel } from "../../lib/hub/hub.ts";
import { readSafetensorsHeader } from "../../lib/model/folder/safetensors.ts";
import { methods } from "../../lib/policies/registry.ts";
import { readResults } from "../../lib/report/results/results_file.ts";
import { runBenchmark } from "../../lib/run/benchmark.ts";
import { Environment, hubEnvironment } from "../hub/_environment.ts";
import { bytesOf, commitOf, gitHash, HubServer, refused, sha256 } from "../hub/_hub_server.ts";
import { safetensors, type Stored } from "../model/_safetensors.ts";
import { Bench, bench, project, TemporaryFolder, tiny } from "./_bench.ts";

const [A, B] = [commitOf("a"), commitOf("b")];
const embedded = join(project, "lib", "assets", "novel-neox-8m");
const read = (name: string) => Deno.readFileSync(join(embedded, name));
const single = {
  "README.md": bytesOf("# A model\n"),
  "config.json": read("config.json"),
  "model.safetensors": read("model.safetensors"),
  "pytorch_model.bin": bytesOf("pickled"),
  "tokenizer.json": read("tokenizer.json"),
};

/** The same model in three files and an index. */
function sharded(): Record<string, Uint8Array<ArrayBuffer>> {
  const { "model.safetensors": bytes, ...rest } = single;
  const shards: Record<string, Stored>[] = [{}, {}, {}];
  const weight_map: Record<string, string> = {};
  const nameOf = (shard: number) => `model-0000${shard + 1}-of-00003.safetensors`;
  const tensors = [...readSafetensorsHeader(join(embedded, "model.safetensors"))];
  for (const [i, [name, { type, shape, offset, bytes: count }]] of tensors.entries()) {
    shards[i % 3]![name] = { dtype: type, shape, data: bytes.slice(offset, offset + count) };
    weight_map[name] = nameOf(i % 3);
  }
  return {
    ...rest,
    "model.safetensors.index.json": bytesOf(JSON.stringify({ weight_map })),
    ...Object.fromEntries(shards.map((tensors, i) => [nameOf(i), safetensors(tensors)])),
  };
}

const newServer = () =>
  new HubServer({
    "org/novel": { refs: { main: A, sharded: B }, commits: { [A]: single, [B]: sharded() } },
    "org/gated": { refs: { main: A }, commits: { [A]: single } },
  });

/** The hub's variables, of a user who has logged in. */
const environmentOf = (folder: TemporaryFolder, endpoint: string) => ({
  ...hubEnvironment(folder.path, endpoint),
  HF_TOKEN: "hf_secret",
});

const short = [...tiny, "--method", "baseline", "--json"];
const perplexityOf = (stdout: string): number => JSON.parse(stdout).aggregated_stats.baseline.perplexity;

Deno.test("bench: --model_id org/name is downloaded, measured, and read from the cache offline", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(environmentOf(folder, server.endpoint));
  const args = [...short, "--output", join(folder.path, "results"), "--model_id", "org/novel"];
  const first = await bench(args);
  equal(first.code, 0, first.stderr);
  match(
    first.stderr,
    /^Downloading org\/novel: [1-4] files?, .*\nDownloaded org\/novel: 17\.1 MB in .*\norg\/novel at main is commit a{40}$/m,
  );
  ok(!first.stderr.includes("\r")); // a bar is drawn on a terminal only
  const { config, environment } = JSON.parse(first.stdout);
  deepEqual([config.model_id, config.revision, environment.model_commit], ["org/novel", "main", A]);
  equal(environment.model_sha256["model.safetensors"], sha256(single["model.safetensors"]));
  deepEqual(server.seen.filter(({ token }) => token !== "Bearer hf_secret").map(({ host }) => host), ["cdn"]);
  ok(!server.log.some((line) => /README|\.bin/.test(line)), `${server.log}`);
  const [name] = folder.names("results")!;
  match(name!, /^baseline_novel_/);
  await readResults(join(folder.path, "results", name!));

  server.seen.length = 0;
  const again = await bench([...args, "--offline"]);
  equal(again.code, 0, again.stderr);
  match(again.stderr, /^org\/novel at main is commit a{40}, as cached$/m);
  equal(perplexityOf(again.stdout), perplexityOf(first.stdout));
  const other = await bench([...args, "--revision", "sharded"], { HF_HUB_OFFLINE: "1" });
  equal(other.code, 2);
  match(
    other.stderr,
    /^Cannot find model org\/novel at sharded in the cache .*\/hub, and HF_HUB_OFFLINE allows no network: .*; and no folder org\/novel exists here$/m,
  );
  deepEqual(server.log, []);
});

Deno.test("bench: a model that cannot be fetched gives a message with what would do, and code 2", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(environmentOf(folder, server.endpoint));
  server.intercept = ({ path }) => path.startsWith("/org/gated/resolve") ? refused(403, "GatedRepo") : undefined;
  const gated =
    `Cannot access gated repo org/gated (403: said GatedRepo): accept its conditions at ${server.endpoint}/org/gated`;
  for (
    const [args, message] of [
      ["--model_id org/gated", gated],
      [
        "--model_id org/none",
        `Cannot find model org/none at ${server.endpoint}: Repository Not Found (401); make sure`,
      ],
      [
        `--model_id ${embedded} --revision main`,
        `Cannot use --revision main with --model_id ${embedded}: it is a folder;`,
      ],
    ] as const
  ) {
    const { code, stdout, stderr } = await bench([...short, ...args.split(" ")]);
    ok(stderr.includes(`\n${message}`), stderr);
    deepEqual([code, stdout], [2, ""]);
    ok(!/^ +at |hf_secret/m.test(stderr), stderr);
  }
});

Deno.test("bench: an interrupted download is resumed", { ignore: Deno.build.os === "windows" }, async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(environmentOf(folder, server.endpoint));
  const weights = single["model.safetensors"];
  let hold = true;
  server.intercept = ({ host }) => {
    if (host !== "cdn" || !hold) return undefined;
    const body = new ReadableStream({ start: (controller) => controller.enqueue(weights.slice(0, 5_000_000)) });
    return new Response(body, { headers: { "content-length": `${weights.length}` } });
  };
  const run = new Bench([...short, "--model_id", "org/novel"], { group: true });
  await run.said(/^Downloading org\/novel/m);
  const part = join(folder.path, "hub", "models--org--novel", "blobs", `${sha256(weights)}.incomplete`);
  while (!(Deno.statSync(part).size === 5_000_000)) await new Promise((resolve) => setTimeout(resolve, 20));
  Deno.kill(-run.process.pid, "SIGINT"); // as a terminal does
  const ended = await run.ended;
  equal(ended.code, 130, ended.stderr);
  match(ended.stderr, /\nEnded before anything was measured\n$/);
  hold = false;
  const { folder: model } = await hubModel({ repo: "org/novel" });
  equal(server.seen.at(-1)!.range, "bytes=5000000-");
  deepEqual(Deno.readFileSync(join(model, "model.safetensors")), weights);
});

Deno.test("runBenchmark() runs sharded weights from the cache as Python writes it, through links to its blobs", async () => {
  await using folder = new TemporaryFolder();
  const repo = join(folder.path, "hub", "models--org--novel");
  const snapshot = join(repo, "snapshots", B);
  for (const path of [join(repo, "blobs"), join(repo, "refs"), snapshot]) Deno.mkdirSync(path, { recursive: true });
  Deno.writeTextFileSync(join(repo, "refs", "main"), B);
  for (const [name, bytes] of Object.entries(sharded())) {
    const blob = /\.safetensors$/.test(name) ? sha256(bytes) : gitHash(bytes);
    Deno.writeFileSync(join(repo, "blobs", blob), bytes);
    Deno.symlinkSync(join("..", "..", "blobs", blob), join(snapshot, name));
  }
  // No server listens there.
  using _env = new Environment(environmentOf(folder, "http://127.0.0.1:9"));
  const options = {
    configurations: [{ name: "baseline", policy: methods.baseline() }],
    device: "cpu",
    max_tokens: 24,
    prompt_tokens: 12,
    max_new_tokens: 2,
    num_samples: 1,
    num_warmup: 0,
    repetitions: 1,
    output: null,
  } as const;
  const [fromHub, plain] = await Promise.all([
    runBenchmark({ ...options, model_id: "org/novel", offline: true }),
    runBenchmark(options),
  ]);
  deepEqual(fromHub.results.failures, []);
  deepEqual(fromHub.results.raw_results[0]!.nll, plain.results.raw_results[0]!.nll);
  const { config, environment } = fromHub.results;
  deepEqual([config.revision, environment.model_commit], ["main", B]);
  equal(Object.keys(environment.model_sha256).length, 5);
});
