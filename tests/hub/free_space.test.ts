import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { freeBytes, requireSpace } from "../../lib/hub/free_space.ts";
import { hubFile, hubModel } from "../../lib/hub/hub.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { Environment, hubEnvironment } from "./_environment.ts";
import { bytesOf, commitOf, gitHash, HubServer, sha256 } from "./_hub_server.ts";

const A = commitOf("a");
const config = bytesOf("{}\n");
const weights = new Uint8Array(2_000_000).fill(7);
const newServer = () =>
  new HubServer({
    "org/name": {
      refs: { main: A },
      commits: { [A]: { "config.json": config, "tokenizer.json": config, "model.safetensors": weights } },
    },
  });

/** Mounts a small disk; undefined if this user may not mount one. */
async function smallDisk(folder: string, bytes: number): Promise<AsyncDisposable | undefined> {
  const run = async (command: string, args: string[]) => {
    try {
      return (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
    } catch {
      return false;
    }
  };
  if (!await run("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", folder])) return undefined;
  return { [Symbol.asyncDispose]: async () => void await run("umount", [folder]) };
}

Deno.test("freeBytes() is what df says, of the nearest folder that is there", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using folder = new TemporaryFolder();
  const { stdout } = await new Deno.Command("df", { args: ["-P", "-k", folder.path] }).output();
  const available = Number(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!.split(/\s+/)[3]) * 1024;
  for (const path of [folder.path, join(folder.path, "not", "there")]) {
    const free = (await freeBytes(path))!;
    ok(Math.abs(free - available) < 1e9, `${free} ${available}`);
  }
  await requireSpace(folder.path, 1, "x");
  await requireSpace(folder.path, 0, "x");
  await rejects(requireSpace(folder.path, 2 ** 60, "x"), /Cannot download x: it needs 1150000 TB, and .* are free in/);
});

Deno.test("a model that the disk has no room for is refused before its first file is asked for", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  // The list states 5 PB
  server.intercept = ({ path }) => {
    if (!path.startsWith("/api/")) return undefined;
    const siblings = Object.entries({ "config.json": 3, "tokenizer.json": 3, "model.safetensors": 5e15 })
      .map(([rfilename, size]) => ({ rfilename, size, blobId: gitHash(config) }));
    return Response.json({ sha: A, siblings });
  };
  await rejects(hubModel({ repo: "org/name" }), (error) => {
    match(
      (error as Error).message,
      /^Cannot download org\/name: it needs 5000 TB, and \d.* are free in .*hub; make room there, or set HF_HOME \(or HF_HUB_CACHE, if you use it\) to a folder with more$/,
    );
    return true;
  });
  deepEqual(server.log.filter((line) => line.includes("resolve")), []);
});

Deno.test("a file that the disk has no room for is refused before its bytes are asked for", async () => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  using _env = new Environment(hubEnvironment(folder.path, server.endpoint));
  const headers = { etag: sha256(weights), "x-repo-commit": A, "x-linked-size": "5000000000000000" };
  server.intercept = ({ method }) => method === "HEAD" ? new Response(null, { headers }) : undefined;
  await rejects(
    hubFile({ repo: "org/name", path: "model.safetensors" }),
    /Cannot download model\.safetensors of org\/name: it needs 5000 TB/,
  );
  equal(server.seen.length, 1);
  deepEqual(folder.names("hub", "models--org--name", "blobs"), []);
});

Deno.test("on a disk of 1 MiB a model of 2 MB is refused, and what is there of one counts", async (test) => {
  await using server = newServer();
  await using folder = new TemporaryFolder();
  const path = join(folder.path, "disk");
  Deno.mkdirSync(path);
  await using disk = await smallDisk(path, 1 << 20);
  if (disk === undefined) return void await test.step({ name: "needs root", ignore: true, fn: () => {} });
  using _env = new Environment(hubEnvironment(path, server.endpoint));
  await rejects(
    hubModel({ repo: "org/name" }),
    /Cannot download org\/name: it needs 2 MB, and 1\.0\d MB are free in .*disk\/hub; make room/,
  );
  ok(!server.log.some((line) => line.includes("resolve")), `${server.log}`);
  // Half of it is present, on a disk with room for the rest.
  await using _larger = await smallDisk(path, 2_400_000);
  const blobs = join(path, "hub", "models--org--name", "blobs");
  Deno.mkdirSync(blobs, { recursive: true });
  Deno.writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), weights.subarray(0, 1_500_000));
  const model = await hubModel({ repo: "org/name" });
  equal(Deno.statSync(join(model.folder, "model.safetensors")).size, weights.length);
});
