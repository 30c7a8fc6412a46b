import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { HubCache } from "../../lib/hub/cache.ts";
import { type ClientOptions, HubClient } from "../../lib/hub/client.ts";
import { HubError } from "../../lib/hub/errors.ts";
import { fetchFile } from "../../lib/hub/fetch_file.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { broken, bytesOf, commitOf, gitHash, HubServer, partOf, refused, sha256 } from "./_hub_server.ts";

const config = bytesOf('{"model_type":"gpt2"}\n');
/** Larger than one write of a connection. */
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);

const newServer = () =>
  new HubServer({
    "org/name": {
      refs: { main: commitOf("a"), "refs/pr/1": commitOf("b") },
      commits: {
        [commitOf("a")]: { "config.json": config, "model.safetensors": weights, "onnx/a b.json": config },
        [commitOf("b")]: { "config.json": config },
      },
    },
    "datasets/org/texts": {
      refs: { main: commitOf("d") },
      commits: { [commitOf("d")]: { "data/a.parquet": weights } },
    },
  });

/** Makes a client with short waits. */
function clientOf(server: HubServer, options: Partial<ClientOptions> = {}): HubClient {
  return new HubClient({ endpoint: server.endpoint, backoffSeconds: 0.01, ...options });
}

const cacheOf = (folder: TemporaryFolder, revision = "main") =>
  new HubCache(folder.path, { repo: "org/name", type: "model", revision });

/** Lists a folder: files with their size, links with their target. */
function tree(folder: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { name, isDirectory, isSymlink } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) Object.assign(found, tree(path, `${prefix}${name}/`));
    else found[prefix + name] = isSymlink ? `-> ${Deno.readLinkSync(path)}` : `${Deno.statSync(path).size} bytes`;
  }
  return found;
}

Deno.test("fetchFile() writes what Python's huggingface_hub writes, file by file", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const client = clientOf(server);
  const file = await fetchFile(client, cacheOf(folder), "config.json");
  await fetchFile(client, cacheOf(folder), "model.safetensors");
  await fetchFile(client, cacheOf(folder), "onnx/a b.json");
  await fetchFile(client, cacheOf(folder, "refs/pr/1"), "config.json");
  await rejects(fetchFile(client, cacheOf(folder), "merges.txt"), /^HubError|Entry Not Found/);
  equal(file, join(folder.path, "models--org--name", "snapshots", commitOf("a"), "config.json"));
  const [git, sha] = [gitHash(config), sha256(weights)];
  deepEqual(tree(folder.path), {
    "CACHEDIR.TAG": "191 bytes",
    [`.locks/models--org--name/${git}.lock`]: "0 bytes",
    [`.locks/models--org--name/${sha}.lock`]: "0 bytes",
    [`models--org--name/.no_exist/${commitOf("a")}/merges.txt`]: "0 bytes",
    [`models--org--name/blobs/${git}`]: `${config.length} bytes`,
    [`models--org--name/blobs/${sha}`]: "300000 bytes",
    "models--org--name/refs/main": "40 bytes",
    "models--org--name/refs/refs/pr/1": "40 bytes",
    [`models--org--name/snapshots/${commitOf("a")}/config.json`]: `-> ../../blobs/${git}`,
    [`models--org--name/snapshots/${commitOf("a")}/model.safetensors`]: `-> ../../blobs/${sha}`,
    [`models--org--name/snapshots/${commitOf("a")}/onnx/a b.json`]: `-> ../../../blobs/${git}`,
    [`models--org--name/snapshots/${commitOf("b")}/config.json`]: `-> ../../blobs/${git}`,
  });
  deepEqual(Deno.readFileSync(join(folder.path, "models--org--name", "blobs", sha)), weights);
  // Present files are not downloaded again, but the branch is followed.
  server.seen.length = 0;
  await fetchFile(client, cacheOf(folder), "config.json");
  deepEqual(server.log, ["hub HEAD /org/name/resolve/main/config.json"]);
});

Deno.test("fetchFile() has data sets in folders of their own", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const cache = new HubCache(folder.path, { repo: "org/texts", type: "dataset", revision: "main" });
  const file = await fetchFile(clientOf(server), cache, "data/a.parquet");
  equal(file, join(folder.path, "datasets--org--texts", "snapshots", commitOf("d"), "data", "a.parquet"));
  deepEqual(Deno.readFileSync(file), weights);
});

Deno.test("fetchFile() sends the token to the hub, and not to where it redirects", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  // A renamed repository: the hub redirects to itself, by a path.
  server.repos["new/name"] = server.repos["org/name"]!;
  server.intercept = ({ host, path }) =>
    host === "hub" && path.startsWith("/org/name/")
      ? new Response(null, { status: 307, headers: { location: path.replace("/org/", "/new/") } })
      : undefined;
  const file = await fetchFile(clientOf(server, { token: "hf_secret" }), cacheOf(folder), "model.safetensors");
  deepEqual(Deno.readFileSync(file), weights);
  deepEqual(server.seen.map(({ host, method, path, token }) => [host, method, path, token]), [
    ["hub", "HEAD", "/org/name/resolve/main/model.safetensors", "Bearer hf_secret"],
    ["hub", "HEAD", "/new/name/resolve/main/model.safetensors", "Bearer hf_secret"],
    ["hub", "GET", "/org/name/resolve/main/model.safetensors", "Bearer hf_secret"],
    ["hub", "GET", "/new/name/resolve/main/model.safetensors", "Bearer hf_secret"],
    ["cdn", "GET", `/new/name/${commitOf("a")}/model.safetensors`, null],
  ]);
});

for (const etag of [`"${gitHash(config)}"`, gitHash(config), `W/"${gitHash(config)}"`]) {
  Deno.test(`fetchFile() names blobs by the ETag ${etag.slice(0, 4)}…`, async () => {
    await using server = newServer();
    await using folder = new TemporaryFolder();
    server.intercept = (seen) => partOf(config, seen, { etag, "x-repo-commit": commitOf("a") });
    await fetchFile(clientOf(server), cacheOf(folder), "config.json");
    ok(folder.names("models--org--name", "blobs")!.includes(gitHash(config)));
  });
}

Deno.test("fetchFile() resumes where a connection broke off, as often as needed", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  server.intercept = (seen) => seen.host === "cdn" ? broken(weights, seen, 40_000) : undefined;
  const seen: number[] = [];
  const file = await fetchFile(clientOf(server), cacheOf(folder), "model.safetensors", (_, done) => seen.push(done));
  deepEqual(Deno.readFileSync(file), weights);
  const ranges = server.seen.filter(({ host }) => host === "cdn").map(({ range }) => range);
  ok(ranges.length > 5, `${ranges}`); // more often than a connection may break without progress
  equal(ranges[0], null);
  ok(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range!)), `${ranges}`);
  deepEqual([...seen].sort((a, b) => a - b), seen);
  equal(seen.at(-1), weights.length);
});

Deno.test("fetchFile() resumes a partial file of an earlier run", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const cache = cacheOf(folder);
  await cache.create();
  const part = `${cache.blob(sha256(weights))}.incomplete`;
  Deno.writeFileSync(part, weights.subarray(0, 100_000));
  const file = await fetchFile(clientOf(server), cache, "model.safetensors");
  deepEqual(Deno.readFileSync(file), weights);
  equal(server.seen.at(-1)!.range, "bytes=100000-");
  deepEqual(folder.names("models--org--name", "blobs"), [sha256(weights)]);
});

Deno.test("fetchFile() takes the whole file from a server without Range support", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const cache = cacheOf(folder);
  await cache.create();
  Deno.writeFileSync(`${cache.blob(sha256(weights))}.incomplete`, new Uint8Array(100_000));
  server.intercept = ({ host, method }) => host === "cdn" ? partOf(weights, { method, range: null }) : undefined;
  deepEqual(Deno.readFileSync(await fetchFile(clientOf(server), cache, "model.safetensors")), weights);
});

Deno.test("fetchFile() drops a partial file of an earlier run if it is damaged, or too long", async () => {
  for (const left of [new Uint8Array(100_000), new Uint8Array(300_000), new Uint8Array(300_001)]) {
    await using server = newServer();
    await using folder = new TemporaryFolder();
    const cache = cacheOf(folder);
    await cache.create();
    Deno.writeFileSync(`${cache.blob(sha256(weights))}.incomplete`, left);
    deepEqual(Deno.readFileSync(await fetchFile(clientOf(server), cache, "model.safetensors")), weights);
  }
});

Deno.test("fetchFile() refuses bytes that are not those the hub names", async () => {
  await using server = newServer();
  for (const path of ["model.safetensors", "config.json"]) {
    await using folder = new TemporaryFolder();
    const wrong = (path === "config.json" ? config : weights).map((byte, i) => i === 9 ? byte ^ 1 : byte);
    server.intercept = (seen) => seen.method === "GET" ? partOf(wrong, seen) : undefined;
    await rejects(
      fetchFile(clientOf(server), cacheOf(folder), path),
      /^InputError: Cannot use .* of org\/name: what was downloaded, twice, is not what the hub says it is \([0-9a-f]+\)/,
    );
    deepEqual(folder.names("models--org--name", "blobs"), []);
    equal(folder.names("models--org--name", "snapshots"), undefined);
    equal(folder.names("models--org--name", "refs"), undefined);
  }
});

Deno.test("fetchFile() by several at once downloads once", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  server.intercept = async ({ method }) => {
    if (method === "GET") await new Promise((resolve) => setTimeout(resolve, 50));
    return undefined;
  };
  const notes: string[] = [];
  const clients = [1, 2, 3].map(() => clientOf(server, { onNote: (note) => notes.push(note) }));
  const files = await Promise.all(clients.map((each) => fetchFile(each, cacheOf(folder), "model.safetensors")));
  equal(new Set(files).size, 1);
  equal(server.seen.filter(({ host }) => host === "cdn").length, 1);
  deepEqual(notes, Array(2).fill("Waiting for another process that downloads model.safetensors of org/name"));
});

Deno.test("fetchFile() waits as long as 429 asks, and tries again on 5xx", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const answers = [
    new Response(null, { status: 429, headers: { "retry-after": "1" } }),
    new Response(null, { status: 429, headers: { ratelimit: '"resolvers";r=0;t=0' } }),
    new Response(null, { status: 503 }),
    new Response(null, { status: 500 }),
  ];
  server.intercept = () => answers.shift();
  const notes: string[] = [];
  const began = performance.now();
  await fetchFile(clientOf(server, { onNote: (note) => notes.push(note) }), cacheOf(folder), "config.json");
  ok(performance.now() - began >= 1000);
  deepEqual(notes, [`Waiting 1 s before asking ${server.endpoint} again: it answered 429`]);
  equal(server.seen.length, 6);
});

Deno.test("fetchFile() does not wait for ever", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const fails = async (answer: () => Response, message: RegExp, tries: number) => {
    server.seen.length = 0;
    server.intercept = answer;
    await rejects(fetchFile(clientOf(server), cacheOf(folder), "config.json"), (error) => {
      ok(error instanceof HubError);
      equal(error.kind, "unreachable");
      match(error.message, message);
      return true;
    });
    equal(server.seen.length, tries);
  };
  const headers = { "retry-after": "3600" };
  await fails(() => new Response(null, { status: 429, headers }), /429, Too Many Requests, and asks to wait 3600 s/, 1);
  await fails(() => new Response(null, { status: 503 }), /answered 503, several times; try again later$/, 5);
});

Deno.test("fetchFile() says what is wrong in the words of huggingface_hub, and what would do", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const { endpoint } = server;
  const fails = async (revision: string, answer: Response | undefined, message: RegExp, token?: string) => {
    server.seen.length = 0;
    server.intercept = () => answer;
    const client = clientOf(server, { token });
    await rejects(fetchFile(client, cacheOf(folder, revision), "config.json"), (error) => {
      ok(error instanceof HubError);
      match(error.message, message);
      ok(!/\n|\.$|hf_secret/.test(error.message), error.message);
      return true;
    });
    equal(server.seen.length, 1); // another try would not help
  };
  const page = `${endpoint}/org/name`;
  const contains = (text: string) => new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  await fails(
    "main",
    refused(403, "GatedRepo"),
    contains(
      `Cannot access gated repo org/name (403: said GatedRepo): accept its conditions at ${page} and log in with`,
    ),
  );
  await fails(
    "main",
    refused(403, "GatedRepo"),
    contains(`at ${page} with the account whose token is used`),
    "hf_secret",
  );
  await fails("main", refused(401, "GatedRepo"), contains("Cannot access gated repo org/name (401"));
  await fails(
    "main",
    refused(401, "RepoNotFound"),
    contains("Repository Not Found (401); make sure that the id is right, and if it is private or gated, log in with"),
  );
  await fails("main", refused(404, "RepoNotFound"), contains("Repository Not Found (404)"));
  await fails("nope", undefined, contains("Cannot find revision nope of model org/name: Revision Not Found (404)"));
  await fails(
    "main",
    new Response(null, { status: 401, headers: { "x-error-message": "Invalid credentials in Authorization header" } }),
    contains("the hub does not know the token (401: Invalid credentials in Authorization header)"),
    "hf_secret",
  );
  await fails(
    "main",
    new Response(null, { status: 403, headers: { "x-error-message": "Access to this resource is disabled." } }),
    contains("Access to this resource is disabled by the hub (403)"),
  );
  await fails("main", new Response(null, { status: 403 }), contains("Forbidden (403); make sure that the token has"));
  await fails("main", new Response("hello"), contains("answers without its commit and ETag"));
});

Deno.test("fetchFile() names a hub that cannot be reached, without a long wait", async () => {
  await using folder = new TemporaryFolder();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const client = new HubClient({ endpoint: `http://127.0.0.1:${port}`, backoffSeconds: 0.01 });
  await rejects(
    fetchFile(client, cacheOf(folder), "config.json"),
    new RegExp(`^InputError: Cannot reach http://127.0.0.1:${port} for org/name: .*(refused|reset)`),
  );
});

Deno.test("fetchFile() leaves a hub that falls silent, and comes back", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  let silent = true;
  server.intercept = ({ host }) => {
    if (host !== "cdn" || !silent) return undefined;
    silent = false;
    const body = new ReadableStream({ start: (controller) => controller.enqueue(weights.subarray(0, 1000)) });
    return new Response(body, { headers: { "content-length": `${weights.length}` } });
  };
  const client = clientOf(server, { stallSeconds: 0.2 });
  deepEqual(Deno.readFileSync(await fetchFile(client, cacheOf(folder), "model.safetensors")), weights);
  equal(server.seen.at(-1)!.range, "bytes=1000-");
});

Deno.test("fetchFile() ends when it is told to", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const controller = new AbortController();
  server.intercept = () => {
    controller.abort(new Error("enough"));
    return new Response(null, { status: 429, headers: { "retry-after": "60" } });
  };
  await rejects(fetchFile(clientOf(server, { signal: controller.signal }), cacheOf(folder), "config.json"), /enough/);
});

Deno.test("fetchFile() refuses names that would lead out of the cache", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const evil = { etag: '"../../evil"', "x-repo-commit": commitOf("a") };
  server.intercept = (seen) => partOf(config, seen, evil);
  await rejects(
    fetchFile(clientOf(server), cacheOf(folder), "config.json"),
    /which is not a hash to check the file by/,
  );
  server.intercept = (seen) => partOf(config, seen, { etag: `"${gitHash(config)}"`, "x-repo-commit": "../../evil" });
  await rejects(fetchFile(clientOf(server), cacheOf(folder), "config.json"), /without its commit and ETag/);
});
