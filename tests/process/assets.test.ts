import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { fromFileUrl, join, relative } from "@std/path";
import { listAssets } from "../../bench/tools/assets.ts";
import { InputError } from "../../lib/util/errors.ts";
import { ptxPath } from "../../lib/kernels/ptx_files.ts";
import { assetPath, ASSETS, bringAssets } from "../../lib/process/assets.ts";
import { projectFlags } from "../../lib/process/deno_child.ts";
import { PROJECT } from "../../lib/util/project.ts";

const model = "lib/assets/novel-neox-8m/";

Deno.test("the list of files that come with the project is that of the files", async () => {
  deepEqual(ASSETS, await listAssets(), "run `deno task assets` after a change of the kernels or the embedded model");
});

Deno.test("the kernels of every type and target are in the list", () => {
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    for (const target of [80, 90] as const) {
      const path = relative(fromFileUrl(PROJECT), ptxPath(dtype, target)).replaceAll("\\", "/");
      ok(ASSETS.some((asset) => asset.path === path), path);
    }
  }
});

Deno.test("assetPath() is the file itself in a checkout, where nothing is downloaded", async () => {
  const url = new URL(`${model}config.json`, PROJECT);
  deepEqual(Deno.readFileSync(assetPath(url)), Deno.readFileSync(url));
  const copies = join(Deno.makeTempDirSync(), "copies");
  await bringAssets(new URL(model, PROJECT), { copies });
  await rejects(Deno.stat(copies), Deno.errors.NotFound);
});

Deno.test("bringAssets() downloads what is missing or changed, and checks it", async () => {
  const asked: string[] = [];
  let fault: "none" | "missing" | "wrong" = "none";
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    const path = new URL(url).pathname.slice("/v1/".length);
    asked.push(path);
    if (fault === "missing") return new Response(null, { status: 404 });
    return new Response(fault === "wrong" ? "{}" : Deno.readFileSync(new URL(path, PROJECT)));
  });
  const project = new URL(`http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/v1/`);
  const copies = Deno.makeTempDirSync();
  const folder = new URL("lib/kernels/ptx/", project);
  const paths = ASSETS.map(({ path }) => path).filter((path) => path.startsWith("lib/kernels/ptx/"));
  const first = join(copies, paths[0]!);
  const bring = () => bringAssets(folder, { project, copies });
  try {
    fault = "missing";
    await rejects(
      bring,
      (error) => error instanceof InputError && /^Cannot download .*: the server answered 404/.test(error.message),
    );
    fault = "wrong";
    await rejects(
      bring,
      (error) => error instanceof InputError && /found SHA-256 \w{64}, this version/.test(error.message),
    );
    deepEqual([...Deno.readDirSync(copies)], []);

    fault = "none";
    asked.length = 0;
    await bring();
    deepEqual(asked, paths);
    for (const path of paths) {
      deepEqual(Deno.readFileSync(join(copies, path)), Deno.readFileSync(new URL(path, PROJECT)));
    }

    asked.length = 0;
    await bring();
    deepEqual(asked, []);
    const bytes = Deno.readFileSync(first);
    bytes[100]! ^= 1;
    Deno.writeFileSync(first, bytes);
    await bring();
    deepEqual(asked, [paths[0]]);
  } finally {
    Deno.removeSync(copies, { recursive: true });
  }
});

Deno.test("bringAssets() says in one line that the host is not in reach", async () => {
  const copies = Deno.makeTempDirSync();
  const project = new URL("http://127.0.0.1:9/");
  await rejects(
    bringAssets(new URL(model, project), { project, copies }),
    (error) =>
      error instanceof InputError &&
      /^Cannot download http:\/\/127\.0\.0\.1:9\/lib\/.*\/config.json: .*$/.test(error.message),
  );
  Deno.removeSync(copies, { recursive: true });
});

Deno.test("bringAssets() names the folder that it may not or cannot write to", async () => {
  const project = new URL("http://127.0.0.1:9/");
  const file = Deno.makeTempFileSync();
  await rejects(
    bringAssets(new URL(model, project), { project, copies: join(file, "copies") }),
    (error) =>
      error instanceof InputError && /^Cannot keep files .*\/copies: .*; set XDG_CACHE_HOME to/.test(error.message),
  );
  Deno.removeSync(file);
  const assets = import.meta.resolve("../../lib/process/assets.ts");
  const script = join(Deno.makeTempDirSync(), "mine.ts");
  Deno.writeTextFileSync(
    script,
    `import { bringAssets } from "${assets}";
    const project = new URL("http://127.0.0.1:9/");
    await bringAssets(new URL("lib/", project), { project, copies: "/nowhere/assets/1" }).catch((e) => console.log(e.message));`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", `--config=${join(fromFileUrl(PROJECT), "deno.json")}`, "-R", script],
  }).output();
  equal(
    new TextDecoder().decode(stdout),
    "Cannot keep files of kvcompress in /nowhere/assets/1: " +
      'Requires write access to "/nowhere/assets/1"; allow it with --allow-write=/nowhere/assets\n',
  );
});

Deno.test("a child of a project from a URL may import from its host, without the user's configuration", () => {
  const project = new URL("http://127.0.0.1:4545/");
  deepEqual(projectFlags(["--allow-read"], project), ["--no-config", "--allow-import=127.0.0.1:4545,jsr.io:443"]);
  deepEqual(projectFlags(["--allow-all"], project), ["--no-config"]);
  equal(projectFlags()[1], "--cached-only");
});
