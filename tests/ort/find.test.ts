import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/util/errors.ts";
import { findOnnxRuntime, locate } from "../../lib/ort/find.ts";
import { ORT_VERSION, setupFolder } from "../../lib/ort/setup_folder.ts";
import { cacheFolder } from "../../lib/util/cache_folder.ts";
import config from "../../deno.json" with { type: "json" };

const linux = Deno.build.os === "linux";
const LIBRARY = { linux: "libonnxruntime.so.1", darwin: "libonnxruntime.1.dylib", windows: "onnxruntime.dll" }[
  Deno.build.os as "linux" | "darwin" | "windows"
];

function folder(...files: string[]): string {
  const path = Deno.makeTempDirSync({ prefix: "kvcompress_ort_" });
  for (const file of files) Deno.writeTextFileSync(join(path, file), "");
  return path;
}
const env = (vars: Record<string, string>) => (name: string) => vars[name];

Deno.test("findOnnxRuntime() takes npm's library where nothing else is set up", () => {
  const home = folder();
  const found = findOnnxRuntime({ env: env({ HOME: home, LOCALAPPDATA: home }) });
  equal(found.source, "onnxruntime-node");
  equal(found.versionHint, ORT_VERSION);
  equal(found.hasCudaProvider, false);
  ok(Deno.statSync(found.libraryPath).size > 1e6);
  match(found.folder, /bin[/\\]napi-v6[/\\](linux|darwin|win32)[/\\](x64|arm64)$/);
  equal(found.tried.length, 2);
  equal(found.tried.at(-1), found.libraryPath);
});

Deno.test("findOnnxRuntime() takes ORT_DIR first, and what setup:cuda made before npm's", () => {
  const cache = folder();
  const vars = { XDG_CACHE_HOME: cache };
  const setup = setupFolder(env(vars))!;
  Deno.mkdirSync(setup, { recursive: true });
  Deno.writeTextFileSync(join(setup, LIBRARY), "");
  const bySetup = findOnnxRuntime({ env: env(vars) });
  equal(bySetup.source, "setup:cuda");
  equal(bySetup.libraryPath, join(setup, LIBRARY));
  equal(bySetup.versionHint, ORT_VERSION);

  const own = folder(LIBRARY);
  const byEnv = findOnnxRuntime({ env: env({ ...vars, ORT_DIR: own }) });
  deepEqual([byEnv.source, byEnv.folder, byEnv.versionHint], ["ORT_DIR", own, null]);
});

Deno.test("findOnnxRuntime() refuses an ORT_DIR without the library, naming what it looked for", () => {
  const empty = folder("readme.txt");
  throws(
    () => findOnnxRuntime({ env: env({ ORT_DIR: empty }) }),
    (error: unknown) =>
      error instanceof InputError && error.message.includes(`ORT_DIR=${empty}: the folder holds none of ${LIBRARY}`),
  );
  throws(() => findOnnxRuntime({ env: env({ ORT_DIR: "/no/such" }) }), /it is not a folder/);
});

Deno.test("findOnnxRuntime() lists every place when nothing is found", () => {
  const cache = folder();
  throws(
    () => findOnnxRuntime({ env: env({ XDG_CACHE_HOME: cache }), npmPackage: join(cache, "package") }),
    (error: unknown) => {
      ok(error instanceof InputError);
      const lines = error.message.split("\n");
      equal(lines[1]!.trim(), setupFolder(env({ XDG_CACHE_HOME: cache })));
      ok(lines[2]!.trim().startsWith(join(cache, "package", "bin", "napi-v6")));
      match(error.message, /deno install.*ORT_DIR/);
      return true;
    },
  );
});

Deno.test("locate() knows the full version in a name, and both files of the CUDA provider", { ignore: !linux }, () => {
  const tried: string[] = [];
  equal(locate(folder("libonnxruntime.so.1.29.0"), "ORT_DIR", tried)!.versionHint, "1.29.0");
  const both = folder("libonnxruntime.so.1", "libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so");
  equal(locate(both, "ORT_DIR", tried)!.hasCudaProvider, true);
  equal(
    locate(folder("libonnxruntime.so.1", "libonnxruntime_providers_cuda.so"), "ORT_DIR", tried)!.hasCudaProvider,
    false,
  );
  equal(locate(folder("libonnxruntime_providers_cuda.so"), "ORT_DIR", tried), null);
  equal(tried.length, 4);
});

Deno.test("locate() finds a file on every platform onnxruntime-node ships", () => {
  // The names are as in the npm package's bin folder; this one test guards against a release that renames them.
  const { folder: bin } = findOnnxRuntime({ env: env({ XDG_CACHE_HOME: folder() }) });
  const root = join(bin, "..", "..");
  for (
    const [platform, name] of [["linux", "libonnxruntime.so.1"], ["darwin", "libonnxruntime.1.dylib"], [
      "win32",
      "onnxruntime.dll",
    ]] as const
  ) {
    for (const arch of Deno.readDirSync(join(root, platform))) {
      ok(Deno.statSync(join(root, platform, arch.name, name)).isFile);
    }
  }
});

Deno.test("ORT_VERSION is the version of onnxruntime-node in deno.json", () => {
  equal(config.imports["onnxruntime-node"], `npm:onnxruntime-node@${ORT_VERSION}`);
});

Deno.test("cacheFolder() follows the platform", () => {
  equal(cacheFolder(env({})), null);
  if (linux) equal(cacheFolder(env({ HOME: "/home/ada" })), "/home/ada/.cache");
});

Deno.test("findOnnxRuntime() works from a script elsewhere, with read access to the project alone", async () => {
  const away = folder();
  const project = join(import.meta.dirname!, "..", "..");
  const script = join(away, "script.ts");
  Deno.writeTextFileSync(
    script,
    `import { findOnnxRuntime } from ${JSON.stringify(new URL("../../lib/ort/find.ts", import.meta.url).href)};
     console.log(findOnnxRuntime().source);`,
  );
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--config=${join(project, "deno.json")}`,
      `--allow-read=${project},${away}`,
      "--allow-env=ORT_DIR,XDG_CACHE_HOME,HOME,LOCALAPPDATA",
      script,
    ],
    cwd: away,
    env: { ORT_DIR: "" },
  }).output();
  equal(new TextDecoder().decode(stdout).trim(), "onnxruntime-node", new TextDecoder().decode(stderr));
});
