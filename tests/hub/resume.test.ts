import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { join, relative } from "@std/path";
import { HubCache } from "../../lib/hub/cache.ts";
import { HubClient } from "../../lib/hub/client.ts";
import { HubError } from "../../lib/hub/errors.ts";
import { fetchFile } from "../../lib/hub/fetch_file.ts";
import { hubModel } from "../../lib/hub/hub.ts";
import { retryAfter } from "../../lib/hub/http_errors.ts";
import { isRelativePath, isRepoId, repoOf } from "../../lib/hub/repo.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { Environment, hubEnvironment } from "./_environment.ts";
import { broken, bytesOf, commitOf, HubServer, partOf, type Seen, sha256 } from "./_hub_server.ts";

const A = commitOf("a");
const weights = Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
const files = { "config.json": bytesOf("{}"), "tokenizer.json": bytesOf("{}"), "model.safetensors": weights };
const newServer = () => new HubServer({ "org/name": { refs: { main: A }, commits: { [A]: files } } });
const cacheOf = (folder: TemporaryFolder, revision = "main") =>
  new HubCache(folder.path, { repo: "org/name", type: "model", revision });

/** Answers of a server to one request for a file's bytes. */
const answers = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("broken" as const), count: fc.nat(weights.length - 1) }) },
  fc.record({ kind: fc.constant("all" as const) }), // without Range support
  fc.record({ kind: fc.constantFrom("500", "416") }),
);

Deno.test("fetchFile() gives the file's bytes, whatever was left before and however connections end", async () => {
  await using server = newServer();
  const left = fc.option(
    fc.record({ length: fc.nat(weights.length + 10), flipped: fc.option(fc.nat(weights.length)) }),
  );
  await fc.assert(
    fc.asyncProperty(left, fc.array(answers, { maxLength: 4 }), async (left, script) => {
      await using folder = new TemporaryFolder();
      const cache = cacheOf(folder);
      if (left !== null) {
        await cache.create();
        const bytes = new Uint8Array(left.length);
        bytes.set(weights.subarray(0, left.length));
        if (left.flipped !== null && left.flipped < left.length) bytes[left.flipped]! ^= 1;
        Deno.writeFileSync(`${cache.blob(sha256(weights))}.incomplete`, bytes);
      }
      const queue = [...script];
      server.intercept = (seen: Seen) => {
        if (seen.host !== "cdn") return undefined;
        const next = queue.shift();
        if (next === undefined) return undefined;
        if (next.kind === "broken") return broken(weights, seen, (next as { count: number }).count);
        if (next.kind === "all") return partOf(weights, { ...seen, range: null });
        return new Response(null, { status: Number(next.kind) });
      };
      const client = new HubClient({ endpoint: server.endpoint, backoffSeconds: 0.001 });
      deepEqual(Deno.readFileSync(await fetchFile(client, cache, "model.safetensors")), weights);
      deepEqual(folder.names("models--org--name", "blobs"), [sha256(weights)]);
    }),
    { numRuns: 25 },
  );
});

Deno.test("no repository, revision or file name leads out of the cache", () => {
  const tricky = fc.array(fc.constantFrom("..", ".", "/", "\\", "a", "-", "--", "\0", "C:", "refs", "é", " "), {
    maxLength: 6,
  })
    .map((parts) => parts.join(""));
  const inside = (path: string) => !relative("/cache", path).startsWith("..") && path !== "/cache";
  fc.assert(fc.property(tricky, tricky, tricky, (repo, revision, path) => {
    let cache;
    try {
      cache = new HubCache("/cache", repoOf({ repo, revision }));
    } catch (error) {
      ok(error instanceof HubError);
      return;
    }
    ok(isRepoId(repo) && isRelativePath(revision));
    equal(relative("/cache", cache.folder).split("/").length, 1);
    ok(inside(join(cache.folder, "refs", revision)));
    if (isRelativePath(path)) ok(relative(cache.snapshot(A), join(cache.snapshot(A), path)).split("/")[0] !== "..");
  }));
});

Deno.test("a cache that cannot be written is named, and one that is only read will do", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const file = join(folder.path, "file");
  Deno.writeTextFileSync(file, "");
  const client = new HubClient({ endpoint: server.endpoint });
  const cache = new HubCache(join(file, "hub"), { repo: "org/name", type: "model", revision: "main" });
  await rejects(
    fetchFile(client, cache, "config.json"),
    /^InputError: Cannot write to the hub's cache .*file\/hub: .*; HF_HUB_CACHE may name another folder$/,
  );
  // Present files need no writing: here, nothing can be written in place of refs.
  const there = await fetchFile(client, cacheOf(folder, A), "config.json");
  Deno.writeTextFileSync(join(folder.path, "models--org--name", "refs"), "");
  equal(await fetchFile(client, cacheOf(folder), "config.json"), there);
});

Deno.test("a hub that redirects to where downloads may not go is named", {
  ignore: Deno.permissions.querySync({ name: "net", host: "elsewhere.example" }).state === "granted",
}, async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  server.intercept = ({ method }) =>
    method === "GET"
      ? new Response(null, { status: 302, headers: { location: "http://elsewhere.example/x?sig=1" } })
      : undefined;
  const client = new HubClient({ endpoint: server.endpoint, backoffSeconds: 0.001 });
  await rejects(
    fetchFile(client, cacheOf(folder), "model.safetensors"),
    /^InputError: Cannot download from elsewhere\.example: .* redirects there, and only the hub's own hosts may be reached/,
  );
});

Deno.test("a hub that redirects in circles is left", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  server.intercept = ({ path }) => new Response(null, { status: 302, headers: { location: path } });
  await rejects(
    fetchFile(new HubClient({ endpoint: server.endpoint }), cacheOf(folder), "config.json"),
    /redirects more than 10 times$/,
  );
});

Deno.test("hubModel() refuses an answer that is not the hub's", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  const fails = async (answer: () => Response, message: RegExp) => {
    server.intercept = answer;
    await rejects(hubModel({ repo: "org/name" }), (error) => {
      ok(error instanceof HubError);
      match(error.message, message);
      return true;
    });
  };
  await fails(
    () => new Response("<html>Log in to the network</html>"),
    /answers with something else; is HF_ENDPOINT right/,
  );
  await fails(() => Response.json({ sha: A, siblings: "none" }), /answers without "sha" and "siblings"/);
  const evil = [{ rfilename: "../../../.bashrc" }];
  await fails(() => Response.json({ sha: A, siblings: evil }), /answers without "sha" and "siblings"/);
});

Deno.test("retryAfter() reads seconds, dates and the hub's own header", () => {
  const now = Date.UTC(2026, 0, 1);
  const date = new Date(now + 5000).toUTCString();
  const cases: [Record<string, string>, number | undefined][] = [
    [{ "retry-after": "7" }, 7],
    [{ "retry-after": date }, 5],
    [{ "retry-after": new Date(now - 5000).toUTCString() }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ ratelimit: '"api";r=0;t=12', "ratelimit-policy": '"fixed window";"api";q=500;w=300' }, 12],
    [{}, undefined],
  ];
  for (const [headers, seconds] of cases) equal(retryAfter(new Headers(headers), now), seconds);
});
