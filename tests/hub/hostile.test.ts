/** What a hostile hub, or a proxy in front of it, cannot do. */
import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { join } from "@std/path";
import { boundedJson } from "../../lib/hub/bounded_json.ts";
import { HubCache, type ListedFile } from "../../lib/hub/cache.ts";
import { type ClientOptions, HubClient } from "../../lib/hub/client.ts";
import { HubError } from "../../lib/hub/errors.ts";
import { fetchFile } from "../../lib/hub/fetch_file.ts";
import { fetchList } from "../../lib/hub/fetch_list.ts";
import { hubList, hubModel } from "../../lib/hub/hub.ts";
import { redirectTarget } from "../../lib/hub/redirects.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { Environment, hubEnvironment } from "./_environment.ts";
import { bytesOf, commitOf, gitHash, HubServer, partOf, sha256 } from "./_hub_server.ts";

const A = commitOf("a");
const config = bytesOf('{"model_type":"gpt2"}\n');
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
const newServer = () =>
  new HubServer({
    "org/name": {
      refs: { main: A },
      commits: { [A]: { "config.json": config, "tokenizer.json": config, "model.safetensors": weights } },
    },
  });
const clientOf = (server: HubServer, options: Partial<ClientOptions> = {}) =>
  new HubClient({ endpoint: server.endpoint, backoffSeconds: 0.01, ...options });
const cacheOf = (folder: TemporaryFolder) =>
  new HubCache(folder.path, { repo: "org/name", type: "model", revision: "main" });

/** Makes a body that never ends, and counts the bytes taken of it. */
function endless(headers: Record<string, string> = {}) {
  const taken = { bytes: 0 };
  const piece = new Uint8Array(64 * 1024).fill(120);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      taken.bytes += piece.length;
      controller.enqueue(piece);
      await new Promise((resolve) => setTimeout(resolve));
    },
  });
  return { taken, response: new Response(body, { headers }) };
}

/** Returns the bytes of a folder's files, partial ones included. */
function bytesIn(folder: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    bytes += isDirectory ? bytesIn(path) : Deno.lstatSync(path).size;
  }
  return bytes;
}

for (
  const [location, message] of [
    ["file:///dev/zero", /redirects to an address that begins with file:, but only http: and https: are followed/],
    ["FILE:///etc/passwd", /begins with file:/],
    ["data:text/plain,hello", /begins with data:/],
    ["blob:http://127.0.0.1/1", /begins with blob:/],
    ["ftp://127.0.0.1/x", /begins with ftp:/],
    ["javascript:alert(1)", /begins with javascript:/],
    ["http://[::1", /redirects to something that is not an address/],
  ] as [string, RegExp][]
) {
  Deno.test(`a redirect to ${location} is not followed: list, head or bytes`, async () => {
    await using server = newServer();
    await using folder = new TemporaryFolder();
    const redirect = () => new Response(null, { status: 302, headers: { location } });
    for (const method of ["GET", "HEAD"]) {
      server.intercept = (seen) => seen.method === method ? redirect() : undefined;
      await rejects(fetchFile(clientOf(server), cacheOf(folder), "config.json"), message);
    }
    server.intercept = redirect;
    await rejects(fetchList(clientOf(server), cacheOf(folder)), message);
    // At the second redirect as well
    server.intercept = ({ host }) => host === "cdn" ? redirect() : undefined;
    await rejects(fetchFile(clientOf(server), cacheOf(folder), "model.safetensors"), message);
    deepEqual(folder.names("models--org--name", "snapshots") ?? [], []);
    equal(server.seen.filter(({ host }) => host === "cdn").length, 1); // asked once: another try would not help
  });
}

Deno.test("redirectTarget() keeps to https:, and leaves user names out", () => {
  const hub = "https://hub.example";
  const to = (location: string, from = `${hub}/a/b`) => redirectTarget(location, from, hub);
  equal(to("c?d=1"), `${hub}/a/c?d=1`);
  equal(to("//cdn.example/c"), "https://cdn.example/c");
  equal(to("https://ada:secret@cdn.example/c"), "https://cdn.example/c");
  throws(
    () => to("http://cdn.example/c"),
    /^InputError: Cannot use .* redirects to http:\/\/cdn\.example, which is not/,
  );
  // A mirror on this machine, or within a cluster, may use http: throughout.
  equal(to("http://127.0.0.1:2/c", "http://127.0.0.1:1/b"), "http://127.0.0.1:2/c");
  equal(to("https://cdn.example/c", "http://127.0.0.1:1/b"), "https://cdn.example/c");
});

Deno.test("a transfer stops at the size that the hub states", async () => {
  await using server = newServer();
  for (const path of ["config.json", "model.safetensors"]) {
    await using folder = new TemporaryFolder();
    const { taken, response } = endless();
    server.seen.length = 0;
    server.intercept = (seen) =>
      seen.method === "GET" && (path === "config.json" || seen.host === "cdn") ? response : undefined;
    await rejects(
      fetchFile(clientOf(server), cacheOf(folder), path),
      /^InputError: Cannot use .* of org\/name: the hub states \d+ bytes and sends more; a proxy may change it/,
    );
    ok(taken.bytes < 4_000_000, `${taken.bytes}`);
    deepEqual(folder.names("models--org--name", "blobs"), []); // nothing that a later try would resume
    equal(server.seen.filter(({ method, host }) => method === "GET" && host === "hub").length, 1);
  }
});

Deno.test("a part that is gone on with stops at the stated size as well, and one byte over is too many", async () => {
  await using server = newServer();
  const more = Uint8Array.from([...weights, 1]);
  for (const left of [0, 1000, 299_999]) {
    await using folder = new TemporaryFolder();
    const cache = cacheOf(folder);
    await cache.create();
    Deno.writeFileSync(`${cache.blob(sha256(weights))}.incomplete`, weights.subarray(0, left));
    server.intercept = (seen) => seen.host === "cdn" ? partOf(more, seen) : undefined;
    await rejects(fetchFile(clientOf(server), cache, "model.safetensors"), /states 300000 bytes and sends more/);
    deepEqual(folder.names("models--org--name", "blobs"), []);
  }
});

Deno.test("a file whose size nobody states has a limit, and the repository's list states one", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const headers = { etag: `"${gitHash(config)}"`, "x-repo-commit": A };
  const chunks = () => new ReadableStream({ start: (controller) => (controller.enqueue(config), controller.close()) });
  let answer = () => new Response(chunks());
  server.intercept = ({ method }) => method === "HEAD" ? new Response(chunks(), { headers }) : answer();
  const client = clientOf(server, { mostUnstatedBytes: 1_000_000 });
  const { taken, response } = endless();
  answer = () => response;
  await rejects(
    fetchFile(client, cacheOf(folder), "config.json"),
    /^InputError: Cannot use config\.json of org\/name: the hub states no size, and sends more than 1 MB; download/,
  );
  ok(taken.bytes < 6_000_000, `${taken.bytes}`);
  deepEqual(folder.names("models--org--name", "blobs"), []);
  const listed = endless();
  answer = () => listed.response;
  await rejects(
    fetchFile(client, cacheOf(folder), "config.json", () => {}, { size: 22 }),
    /states 22 bytes and sends more/,
  );
  const cache = cacheOf(folder);
  const kept = endless();
  answer = () => kept.response;
  await cache.writeListing(A, { "config.json": { size: 22, blob_id: gitHash(config) } });
  await rejects(fetchFile(client, cache, "config.json"), /states 22 bytes and sends more/);
  answer = () => new Response(chunks());
  deepEqual(Deno.readFileSync(await fetchFile(client, cache, "config.json")), config);
});

Deno.test("what comes compressed is not unpacked", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const bomb = new Uint8Array(
    await new Response(
      new Blob([new Uint8Array(20_000_000)]).stream().pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer(),
  );
  server.intercept = (seen) =>
    seen.host === "cdn" ? new Response(bomb, { headers: { "content-encoding": "gzip" } }) : undefined;
  await rejects(
    fetchFile(clientOf(server), cacheOf(folder), "model.safetensors"),
    /^InputError: Cannot get model\.safetensors of org\/name: it comes compressed \(gzip\), though requested uncompressed/,
  );
  ok(bytesIn(folder.path) < 1000);
});

Deno.test("a server that never gets farther is left: the same bytes again, a byte at a time, or 416 in between", async () => {
  await using server = newServer();
  const drip = (start: number, count: number) =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      async start(controller) {
        controller.enqueue(weights.slice(start, start + count));
        await new Promise((resolve) => setTimeout(resolve, 10));
        controller.error(new Error("broken off"));
      },
    });
  const answers: Record<string, (start: number) => Response> = {
    "the same bytes": () => new Response(drip(0, 40_000), { headers: { "content-length": "300000" } }),
    "a byte at a time": (start) =>
      new Response(drip(start, 1), {
        status: start > 0 ? 206 : 200,
        headers: { "content-range": `bytes ${start}-299999/300000`, "content-length": `${300_000 - start}` },
      }),
    "416 in between": (start) =>
      start > 0
        ? new Response(null, { status: 416 })
        : new Response(drip(0, 40_000), { headers: { "content-length": "300000" } }),
  };
  for (const [what, answer] of Object.entries(answers)) {
    await using folder = new TemporaryFolder();
    server.seen.length = 0;
    server.intercept = ({ host, range }) => host === "cdn" ? answer(Number(/\d+/.exec(range ?? "0")![0])) : undefined;
    await rejects(fetchFile(clientOf(server), cacheOf(folder), "model.safetensors"), /^InputError: Cannot reach/, what);
    const count = server.seen.filter(({ host }) => host === "cdn").length;
    ok(count >= 5 && count <= 10, `${what}: ${count}`);
  }
});

Deno.test("a connection that drips is silent", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  server.intercept = ({ host }) => {
    if (host !== "cdn") return undefined;
    let timer: ReturnType<typeof setInterval>;
    const body = new ReadableStream({
      start: (controller) => void (timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 20)),
      cancel: () => clearInterval(timer),
    });
    return new Response(body, { headers: { "content-length": "300000" } });
  };
  const began = performance.now();
  await rejects(
    fetchFile(clientOf(server, { stallSeconds: 0.2 }), cacheOf(folder), "model.safetensors"),
    /^InputError: Cannot reach .* for org\/name: it does not answer$/,
  );
  ok(performance.now() - began < 5000);
});

Deno.test("boundedJson() stops where a list is more than can be meant", async () => {
  const of = (text: string, most?: number) => boundedJson(new Response(text).body, most);
  deepEqual(await of('{"a":"[[,,\\"","b":[1,{}]}'), { a: '[[,,"', b: [1, {}] });
  equal(await of("12345", 5), 12345);
  await rejects(of("123456", 5), RangeError);
  equal(JSON.stringify(await of("[".repeat(64) + "]".repeat(64))).length, 128);
  await rejects(of("[".repeat(65) + "]".repeat(65)), /^RangeError: it has more than 64 levels$/);
  await rejects(of(`[${"0,".repeat(2 ** 22)}0]`), /^RangeError: it has more than 4194304 values$/);
  await rejects(of("<html>"), SyntaxError);
  await rejects(of(""), SyntaxError);
});

Deno.test("a list that does not end is left after 64 MiB", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const { taken, response } = endless({ "content-type": "application/json" });
  server.intercept = () => response;
  await rejects(
    fetchList(clientOf(server, { answerSeconds: 60 }), cacheOf(folder)),
    /^InputError: Cannot list the files of org\/name: .* with a list that is not a repository's: it is longer than 64 MiB; is HF_ENDPOINT/,
  );
  ok(taken.bytes < 80 * 2 ** 20, `${taken.bytes}`);
});

Deno.test("a list that says what cannot be is refused, by the child as well", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const sibling = { rfilename: "config.json", size: 22, blobId: gitHash(config) };
  const list = (siblings: unknown) => Response.json({ sha: A, siblings });
  const cases: [() => Response, RegExp][] = [
    [() => Response.json(null), /answers without "sha" and "siblings"/],
    [() => Response.json(7), /answers without "sha" and "siblings"/],
    [() => list([null]), /answers without "sha" and "siblings"/],
    ...["../x", "/etc/passwd", "a/../../x", "a\0", "a\x1b[2J", "a\x9b2J", "a\u202eb", "", "C:/x", "a\\b"].map((
      rfilename,
    ): [() => Response, RegExp] => [() => list([{ ...sibling, rfilename }]), /answers without "sha" and "siblings"/]),
    [() => list([{ ...sibling, size: -1 }]), /config\.json has the size -1; is HF_ENDPOINT right/],
    [() => list([{ ...sibling, size: 1.5 }]), /config\.json has the size 1\.5/],
    [() => list([{ ...sibling, size: "22" }]), /config\.json has the size "22"/],
    [() => list([{ ...sibling, lfs: { size: 1e300 } }]), /config\.json has the size 1e\+300/],
    [() => new Response("[".repeat(1000)), /more than 64 levels/],
  ];
  for (const [answer, message] of cases) {
    server.intercept = answer;
    await rejects(fetchList(clientOf(server), cacheOf(folder)), (error) => {
      ok(error instanceof HubError);
      match(error.message, message);
      return true;
    });
  }
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  server.intercept = cases[0]![0];
  await rejects(hubList({ repo: "org/name" }), cases[0]![1]);
  // An invalid hash is not stored, and neither is the list, because Python would read it.
  server.intercept = () => list([{ ...sibling, blobId: "\x1b[2J", lfs: { sha256: "../../x" } }]);
  deepEqual((await fetchList(clientOf(server), cacheOf(folder))).listing, { "config.json": { size: 22 } });
  equal(folder.names("models--org--name", "trees"), undefined);
});

Deno.test("an ETag that is no hash is refused: nothing could be checked by it", async () => {
  await using server = newServer();
  for (
    const etag of ['"abc"', `"${"a".repeat(39)}"`, `"${"A".repeat(40)}"`, `"${"a".repeat(41)}"`, `"${"-".repeat(64)}"`]
  ) {
    await using folder = new TemporaryFolder();
    server.intercept = (seen) => partOf(config, seen, { etag, "x-repo-commit": A });
    await rejects(
      fetchFile(clientOf(server), cacheOf(folder), "config.json"),
      /^InputError: Cannot get config\.json of org\/name: .* with the ETag ".*", which is not a hash to check the file by; is/,
    );
    equal(bytesIn(folder.path), 0);
  }
});

Deno.test("a hub that contradicts itself is not believed: size, hash, commit", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const fetch = (listed: ListedFile, revision = "main") =>
    fetchFile(
      clientOf(server),
      new HubCache(folder.path, { repo: "org/name", type: "model", revision }),
      "model.safetensors",
      () => {},
      listed,
    );
  await rejects(fetch({ size: 7 }), /lists it with 7 bytes, but states 300000 with the file; a proxy may/);
  await rejects(fetch({ size: 134, lfs_size: 8 }), /lists it with 8 bytes, but states 300000/);
  await rejects(fetch({ lfs_sha256: "0".repeat(64) }), /lists it with SHA-256 0{64}, but states [0-9a-f]{64} with the/);
  server.repos["org/name"]!.refs[commitOf("c")] = A;
  await rejects(fetch({}, commitOf("c")), /requested at commit c{40}, but the hub returns it at a{40}/);
  equal(bytesIn(folder.path), 0);
  deepEqual(Deno.readFileSync(await fetch({ size: 134, lfs_size: 300_000, lfs_sha256: sha256(weights) })), weights);
});

Deno.test("a size that cannot be is refused", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  for (const size of ["-1", "1.5", "1e3", "9".repeat(400), "12, 13"]) {
    server.intercept = ({ method }) =>
      method === "HEAD"
        ? new Response(null, { headers: { etag: gitHash(config), "x-repo-commit": A, "x-linked-size": size } })
        : undefined;
    await rejects(fetchFile(clientOf(server), cacheOf(folder), "config.json"), (error) => {
      match((error as Error).message, /answers with the size ".*"; is HF_ENDPOINT right/);
      ok((error as Error).message.length < 500);
      return true;
    });
  }
});

Deno.test("a link or a pipe that lies where a part is to be written is not written through", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const cache = cacheOf(folder);
  await cache.create();
  const part = `${cache.blob(sha256(weights))}.incomplete`;
  const outside = join(folder.path, "outside");
  Deno.writeTextFileSync(outside, "mine");
  Deno.symlinkSync(outside, part);
  deepEqual(Deno.readFileSync(await fetchFile(clientOf(server), cache, "model.safetensors")), weights);
  equal(Deno.readTextFileSync(outside), "mine");
  Deno.removeSync(cache.blob(sha256(weights)));
  ok((await new Deno.Command("mkfifo", { args: [part] }).output()).success);
  deepEqual(Deno.readFileSync(await fetchFile(clientOf(server), cache, "model.safetensors")), weights);
});

Deno.test("a shard that is no file's path is refused before it is asked for", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  for (const shard of ["..", ".", "a\0b", "a\x1b[2J"]) {
    server.repos["org/name"]!.commits[A] = {
      "config.json": config,
      "tokenizer.json": config,
      "model.safetensors.index.json": bytesOf(JSON.stringify({ weight_map: { a: shard } })),
    };
    using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
    await rejects(hubModel({ repo: "org/name" }), (error) => {
      match((error as Error).message, /^Cannot use ".*" as a file's path$/);
      // deno-lint-ignore no-control-regex
      ok(!/[\0-\x1f]/.test((error as Error).message));
      return true;
    });
    await Deno.remove(join(folder.path, "hub"), { recursive: true });
  }
});
