import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { HubError } from "../../lib/hub/errors.ts";
import { type DownloadEvent, hubFile, hubList, hubModel } from "../../lib/hub/hub.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { Environment, hubEnvironment } from "./_environment.ts";
import { bytesOf, commitOf, HubServer, refused, sha256 } from "./_hub_server.ts";

const [A, B] = [commitOf("a"), commitOf("b")];
const config = bytesOf("{}\n");
const shards = ["x", "y"].map((letter) => bytesOf(letter.repeat(70_000)));
const index = bytesOf(JSON.stringify({
  weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" },
}));
const sharded = {
  "README.md": bytesOf("# A model\n"),
  "config.json": config,
  "model-00001-of-00002.safetensors": shards[0]!,
  "model-00002-of-00002.safetensors": shards[1]!,
  "model.safetensors.index.json": index,
  "pytorch_model.bin": bytesOf("pickled"),
  "tokenizer.json": config,
};
const newServer = () =>
  new HubServer({
    "org/name": { refs: { main: A }, commits: { [A]: { ...sharded } } },
    "datasets/org/texts": {
      refs: { main: B },
      commits: { [B]: { "data/a.parquet": shards[0]!, "data/b.parquet": shards[1]! } },
    },
  });
const texts = { repo: "org/texts", type: "dataset" } as const;

Deno.test("hubList() and hubFile() give a data set's files, and ask the net for none twice", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  const listing = { commit: B, files: ["data/a.parquet", "data/b.parquet"], complete: true };
  deepEqual(await hubList(texts), listing);
  const events: DownloadEvent[] = [];
  const file = await hubFile({ ...texts, path: "data/b.parquet" }, { onDownload: (event) => events.push(event) });
  equal(file, join(folder.path, "hub", "datasets--org--texts", "snapshots", B, "data", "b.parquet"));
  deepEqual(Deno.readFileSync(file), shards[1]);
  const last = {
    type: "download",
    repo: "org/texts",
    files: 1,
    filesDone: 1,
    done: 70_000,
    total: 70_000,
    fetched: 70_000,
  };
  deepEqual(events.at(-1), last);
  equal(server.seen.filter(({ host }) => host === "cdn").length, 1);

  server.seen.length = 0;
  deepEqual(await hubList(texts), listing);
  equal(await hubFile({ ...texts, path: "data/b.parquet" }), file);
  equal(await hubFile({ ...texts, path: "data/b.parquet" }, { offline: true }), file);
  await rejects(
    hubFile({ ...texts, path: "data/a.parquet" }, { offline: true }),
    /^InputError: Cannot find data\/a\.parquet of dataset org\/texts at main in the cache .*, and --offline allows no network: run once without it/,
  );
  await rejects(hubFile({ ...texts, path: "c.txt" }, { offline: true }), missing(/it has no such file/));
  deepEqual(server.log, []);
  await rejects(
    hubFile({ ...texts, path: "c.txt" }),
    missing(/Cannot find c\.txt in dataset org\/texts .*Entry Not Found/),
  );
});

/** Checks that an error is a {@linkcode HubError} of kind "missing". */
function missing(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.kind === "missing" && message.test(error.message);
}

Deno.test("hubModel() fetches what a run reads, of one commit, and no more", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment({ ...hubEnvironment(folder.path, server.endpoint), HF_TOKEN: "hf_abc" });
  const events: DownloadEvent[] = [];
  const { commit, folder: model } = await hubModel({ repo: "org/name" }, { onDownload: (event) => events.push(event) });
  deepEqual([commit, model], [A, join(folder.path, "hub", "models--org--name", "snapshots", A)]);
  deepEqual([...Deno.readDirSync(model)].map(({ name }) => name).sort(), [
    "config.json",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
  ]);
  ok(server.seen.every(({ host, token }) => token === (host === "hub" ? "Bearer hf_abc" : null)));
  ok(server.log.filter((line) => line.includes("resolve")).every((line) => line.includes(`/resolve/${A}/`)));
  const { files, filesDone, done, total } = events.at(-1)!;
  deepEqual({ files, filesDone }, { files: 5, filesDone: 5 });
  equal(done, total);
  deepEqual(folder.names("hub", "models--org--name", ".no_exist", A), ["tokenizer_config.json"]);
  equal(Deno.readTextFileSync(join(folder.path, "hub", "models--org--name", "refs", "main")), A);

  server.seen.length = 0;
  deepEqual(await hubModel({ repo: "org/name" }), { folder: model, commit: A, complete: true });
  deepEqual(await hubModel({ repo: "org/name", revision: A }, { offline: true }), {
    folder: model,
    commit: A,
    complete: true,
  });
  deepEqual(server.log, []);
});

Deno.test("hubModel() reads a cache as Python writes it, and asks only for what that leaves open", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  // As left by transformers 4: without a list of the commit's files, and without all of them.
  const repo = join(folder.path, "hub", "models--org--name");
  for (const [path, bytes] of Object.entries(sharded)) {
    if (/README|bin/.test(path)) continue;
    const blob = join(repo, "blobs", sha256(bytes));
    Deno.mkdirSync(join(repo, "blobs"), { recursive: true });
    Deno.mkdirSync(join(repo, "snapshots", A), { recursive: true });
    Deno.writeFileSync(blob, bytes);
    Deno.symlinkSync(`../../blobs/${sha256(bytes)}`, join(repo, "snapshots", A, path));
  }
  Deno.mkdirSync(join(repo, "refs"));
  Deno.writeTextFileSync(join(repo, "refs", "main"), A);
  const model = { folder: join(repo, "snapshots", A), commit: A };
  deepEqual(await hubModel({ repo: "org/name" }, { offline: true }), { ...model, complete: false });
  // Whether the commit has a tokenizer_config.json is not known: the hub is asked, but no file is fetched again.
  const notes: string[] = [];
  server.intercept = () => new Response(null, { status: 503, headers: { "retry-after": "3600" } });
  deepEqual(await hubModel({ repo: "org/name" }, { onNote: (note) => notes.push(note) }), {
    ...model,
    complete: false,
  });
  match(notes.join(), /answered 503.* Using the cached files$/);
  server.intercept = () => undefined;
  deepEqual(await hubModel({ repo: "org/name" }), { ...model, complete: true });
  ok(!server.log.some((line) => line.startsWith("cdn") || line.includes(" GET /org/")), `${server.log}`);
  server.seen.length = 0;
  deepEqual(await hubModel({ repo: "org/name" }), { ...model, complete: true });
  deepEqual(server.log, []);

  // A deleted blob is fetched again.
  Deno.removeSync(join(repo, "blobs", sha256(shards[1]!)));
  await rejects(
    hubModel({ repo: "org/name" }, { offline: true }),
    /^InputError: Cannot find model org\/name at main in the/,
  );
  deepEqual(await hubModel({ repo: "org/name" }), { ...model, complete: true });
  deepEqual(Deno.readFileSync(join(model.folder, "model-00002-of-00002.safetensors")), shards[1]);
});

Deno.test("hubModel() keeps to the complete commit while a branch moves on", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  await hubModel({ repo: "org/name" });
  const repo = server.repos["org/name"]!;
  repo.commits[B] = { ...sharded, "model-00002-of-00002.safetensors": bytesOf("z".repeat(70_000)) };
  repo.refs["v2"] = B;
  server.intercept = ({ host }) => host === "cdn" ? refused(403, "Expired") : undefined;
  await rejects(hubModel({ repo: "org/name", revision: "v2" }), /403/);
  equal(folder.names("hub", "models--org--name", "refs")!.join(), "main");
  server.intercept = () => undefined;
  server.seen.length = 0;
  equal((await hubModel({ repo: "org/name", revision: "v2" })).commit, B);
  equal(server.log.filter((line) => line.startsWith("cdn")).length, 1); // the other shard is the same
});

Deno.test("hubModel() says why a repository is not usable before it fetches weights", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  const { "config.json": c, "tokenizer.json": t } = sharded;
  const cases: [string, Record<string, Uint8Array<ArrayBuffer>>, RegExp][] = [
    [
      "bin",
      { "config.json": c, "tokenizer.json": t, "pytorch_model.bin": c },
      /its weights are in pytorch_model\.bin, not in safetensors; .*save_pretrained\(FOLDER\)/,
    ],
    [
      "onnx",
      { "config.json": c, "tokenizer.json": t, "onnx/model_q4.onnx": c },
      /it holds exports to ONNX, such as onnx\/model_q4\.onnx, .*; download it, and name the file: --model_id FOLDER\/onnx/,
    ],
    ["gguf", { "m.gguf": c }, /it holds GGUF files and no config\.json/],
    [
      "opt",
      { "config.json": c, "vocab.json": c, "model.safetensors": c },
      /it has no tokenizer\.json; .*AutoTokenizer/,
    ],
  ];
  for (const [name, files, message] of cases) {
    server.repos[name] = { refs: { main: A }, commits: { [A]: files } };
    await rejects(hubModel({ repo: name }), message);
    await rejects(hubModel({ repo: name }, { offline: true }), /Cannot find/);
  }
  ok(!server.log.some((line) => line.includes("resolve")), `${server.log}`);
});

Deno.test("hubModel() takes an ONNX export and the files next to it, if there are no safetensors", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  const { "config.json": c, "tokenizer.json": t } = sharded;
  const files = Object.fromEntries(
    ["model.onnx", "model.onnx_data", "model.onnx_data_1", "model_fp16.onnx", "model_fp16.onnx_data", "model_q4.onnx"]
      .map((name) => [`onnx/${name}`, bytesOf(name)]),
  );
  server.repos["org/onnx"] = {
    refs: { main: A },
    commits: { [A]: { ...files, "config.json": c, "tokenizer.json": t } },
  };
  const snapshot = ["hub", "models--org--onnx", "snapshots", A, "onnx"];
  await hubModel({ repo: "org/onnx" });
  deepEqual(folder.names(...snapshot), ["model.onnx", "model.onnx_data", "model.onnx_data_1"]);
  await hubModel({ repo: "org/onnx", dtype: "float16" });
  equal(folder.names(...snapshot)!.join().includes("model_fp16.onnx,model_fp16.onnx_data"), true);
  equal((await hubModel({ repo: "org/onnx", dtype: "float16" }, { offline: true })).commit, A);
  ok(!server.log.some((line) => line.includes("q4")), `${server.log}`);
});

Deno.test("hubModel() refuses an invalid id or revision, without a request", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  for (const repo of ["a/b/c", "../x", "org/", "-x", "a--b", "a..b", "x.git", "a b", ""]) {
    await rejects(hubModel({ repo }), /as a model of the hub: an id is org\/name/);
  }
  for (const revision of ["..", "a/../b", "/x", "x\\y", ""]) {
    await rejects(hubModel({ repo: "org/name", revision }), /^InputError: Cannot use --revision/);
  }
  deepEqual(server.log, []);
});
