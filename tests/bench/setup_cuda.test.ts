import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { setupCuda } from "../../bench/tools/setup_cuda.ts";
import { InputError } from "../../lib/util/errors.ts";
import { findOnnxRuntime } from "../../lib/ort/find.ts";
import { ORT_VERSION } from "../../lib/ort/setup_folder.ts";

const CUDA = "libonnxruntime_providers_cuda.so", SHARED = "libonnxruntime_providers_shared.so";
const ignore = Deno.build.os !== "linux" || Deno.build.arch !== "x86_64";
const env = (vars: Record<string, string>) => (name: string) => vars[name];

/** Makes a folder with stand-ins for the two files of the provider. */
function provider(into: string, version = ORT_VERSION): string {
  Deno.mkdirSync(into, { recursive: true });
  Deno.writeTextFileSync(join(into, CUDA), `\0${version}\0`);
  Deno.writeTextFileSync(join(into, SHARED), "");
  return into;
}

Deno.test("setupCuda() makes a folder that findOnnxRuntime() then takes, once", { ignore }, async () => {
  const cache = Deno.makeTempDirSync({ prefix: "kvcompress_setup_" });
  const vars = { XDG_CACHE_HOME: cache };
  let downloads = 0;
  const lines: string[] = [];
  const setup = () =>
    setupCuda({
      env: env(vars),
      say: (line) => lines.push(line),
      download: (into) => {
        downloads++;
        return Promise.resolve(provider(into));
      },
    });
  const made = await setup();
  const found = findOnnxRuntime({ env: env(vars) });
  deepEqual([found.source, found.folder, found.hasCudaProvider], ["setup:cuda", made.folder, true]);
  const files = [...Deno.readDirSync(made.folder)];
  deepEqual(files.map(({ name }) => name).sort(), ["libonnxruntime.so.1", CUDA, SHARED].sort());
  ok(files.every(({ isFile }) => isFile), "no links that lead out of the folder: it can be copied to another machine");
  deepEqual([...Deno.readDirSync(join(cache, "kvcompress"))].length, 1, "nothing is left of the making");

  await setup();
  equal(downloads, 1);
  match(lines.at(-1)!, /Already there/);
  // An interrupted folder, or one of another version, is made anew
  Deno.removeSync(join(made.folder, SHARED));
  await setup();
  equal(downloads, 2);
  equal(findOnnxRuntime({ env: env(vars) }).hasCudaProvider, true);
});

Deno.test("setupCuda() leaves no half-made folder behind", { ignore }, async () => {
  const cache = Deno.makeTempDirSync({ prefix: "kvcompress_setup_" });
  const setup = (version: string) =>
    setupCuda({
      env: env({ XDG_CACHE_HOME: cache }),
      say: () => {},
      download: (into) =>
        version ? Promise.resolve(provider(into, version)) : Promise.reject(new InputError("no network")),
    });
  await rejects(setup(""), /no network/);
  await rejects(setup("1.28.0"), /its CUDA provider is not of 1\.29\.0/);
  deepEqual([...Deno.readDirSync(join(cache, "kvcompress"))], []);
});

Deno.test("setupCuda() passes over an onnxruntime-gpu of another version", { ignore }, async () => {
  const cache = Deno.makeTempDirSync({ prefix: "kvcompress_setup_" });
  const venv = join(cache, "venv");
  provider(join(venv, "lib/python3.12/site-packages/onnxruntime/capi"), "1.22.0");
  const lines: string[] = [];
  await setupCuda({
    env: env({ XDG_CACHE_HOME: cache, VIRTUAL_ENV: venv }),
    say: (line) => lines.push(line),
    download: (into) => Promise.resolve(provider(into)),
  });
  ok(lines.some((line) => /^Not used: onnxruntime-gpu in .*capi \(it is not 1\.29\.0\)$/.test(line)), lines.join("\n"));
});

Deno.test("setupCuda() respects ORT_DIR: complete is enough, incomplete is said", { ignore }, async () => {
  const folder = Deno.makeTempDirSync({ prefix: "kvcompress_setup_" });
  const npm = findOnnxRuntime({ env: env({}) });
  Deno.symlinkSync(npm.libraryPath, join(folder, "libonnxruntime.so.1"));
  const lines: string[] = [];
  const setup = () =>
    setupCuda({
      env: env({ ORT_DIR: folder, HOME: folder }),
      say: (line) => lines.push(line),
      download: () => Promise.reject(new Error("not to be called")),
    });
  await rejects(setup(), (error: unknown) => {
    ok(error instanceof InputError);
    match(error.message, /ORT_DIR=.* it has ONNX Runtime without libonnxruntime_providers_cuda\.so/);
    return true;
  });
  provider(folder, "1.28.0");
  await rejects(setup(), /is not of version 1\.29\.0/);
  provider(folder);
  equal((await setup()).source, "ORT_DIR");
  match(lines.join(), /nothing to do/);
});
