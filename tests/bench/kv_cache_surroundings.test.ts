/** The tasks in users' environments: loader variables, closed outputs, other folders. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { dirname, join } from "@std/path";
import { readResults } from "../../lib/report/results/results_file.ts";
import { ORT_VERSION } from "../../lib/ort/setup_folder.ts";
import { findOnnxRuntime } from "../../lib/ort/find.ts";
import { compileStub, hasGcc } from "../cuda/compile_stub.ts";
import { project, taskArguments, TemporaryFolder, tiny } from "./_bench.ts";
import { environmentOf, Session, type SessionOptions } from "./_session.ts";

const ignore = Deno.build.os !== "linux";
const deno = Deno.execPath();
const quick = [...tiny, "--recent_sizes", "12", "--no_recent_only"];

/** Starts a task's script. */
function task(name: Parameters<typeof taskArguments>[0], args: readonly string[], options?: SessionOptions): Session {
  return new Session(deno, [...taskArguments(name), ...args], options);
}

/** Variables of the loader that most GPU clusters set, and more. */
async function loaderVariables(folder: string): Promise<Record<string, string>> {
  const library = hasGcc
    ? await compileStub(new URL("../cuda/stub_empty.c", import.meta.url), "libx.so", { NAME: "x" })
    : "";
  return { LD_LIBRARY_PATH: `${folder}:/nowhere/lib`, LD_PRELOAD: library, LD_BIND_NOW: "1", LD_RUN_PATH: folder };
}

/** Returns the samples of the only run in a folder. */
async function measured(output: string): Promise<string[]> {
  const names = [...Deno.readDirSync(output)].map(({ name }) => name);
  equal(names.length, 1);
  const { raw_results, configurations } = await readResults(join(output, names[0]!));
  deepEqual(configurations.map(({ status }) => status), ["done", "done"]);
  return raw_results.map(({ method, sample }) => `${method} ${sample}`);
}

const ALL = ["baseline 0", "baseline 1", "streaming_16 0", "streaming_16 1"];

Deno.test("bench: with variables of the loader's set, all is measured and drawn", { ignore }, async () => {
  await using folder = new TemporaryFolder();
  const env = await loaderVariables(folder.path);
  await using run = task("bench", [...quick, "--output", join(folder.path, "out")], { env });
  const { code, stderr } = await run.ended();
  equal(code, 0, stderr);
  match(stderr, /^Chart: /m);
  deepEqual(await measured(join(folder.path, "out")), ALL);
});

Deno.test("the other tasks work with variables of the loader's set", { ignore }, async () => {
  await using folder = new TemporaryFolder();
  const env = await loaderVariables(folder.path);
  const run = async (name: string, args: string[], more: Record<string, string> = {}) => {
    const start = ["task", "--config", join(project, "deno.json"), name, ...args];
    await using session = new Session(deno, start, { env: { ...env, ...more }, cwd: folder.path });
    const ended = await session.ended();
    ok(!/^ +at /m.test(ended.stderr), ended.stderr);
    return ended;
  };
  const doctor = await run("doctor", ["--json"]);
  equal(doctor.code, 0, doctor.stderr);
  deepEqual(JSON.parse(doctor.stdout).cuda_folders.filter((name: string) => name === folder.path), [folder.path]);

  // Its path is relative to the user's current folder, like the next one's.
  const model = await run("random-model", ["pythia-70m", "model"]);
  equal(model.code, 0, model.stderr);
  ok(folder.names("model")!.includes("model.safetensors"));

  const engine = await run("bench:engine", [
    ...["--model_id", "model", "--device", "cpu", "--lengths", "16", "--full_lengths", "16"],
    ...["--steps", "4", "--prefills", "1", "--read_mib", "16", "--methods", "streaming_llm"],
  ]);
  equal(engine.code, 0, engine.stderr);
  match(engine.stdout, /streaming_llm/);

  // No server answers there.
  const setup = await run("setup:cuda", [], {
    XDG_CACHE_HOME: join(folder.path, "cache"),
    DENO_DIR: join(folder.path, "deno"),
    NPM_CONFIG_REGISTRY: "http://127.0.0.1:9",
  });
  match(setup.stderr, /^Cannot get .* from npm: `deno install` ended with code 1\. Run this/m);
  equal(setup.code, 2);
});

for (const name of ["example", "own-method"] as const) {
  Deno.test(`${name}: works with variables of the loader's set`, { ignore }, async () => {
    await using folder = new TemporaryFolder();
    const [command, ...rest] = taskArguments(name);
    const text = Deno.readTextFileSync(join(project, rest.pop()!))
      .replace('"../../mod.ts"', JSON.stringify(join(project, "mod.ts")))
      .replace(
        "max_tokens: 400,",
        "max_tokens: 160, prompt_tokens: 110, max_new_tokens: 4, num_warmup: 0, repetitions: 1,",
      );
    Deno.writeTextFileSync(join(folder.path, "mine.ts"), text);
    const args = [command!, "--config", join(project, "deno.json"), ...rest, "mine.ts"];
    await using run = new Session(deno, args, { cwd: folder.path, env: await loaderVariables(folder.path) });
    const { code, stdout, stderr } = await run.ended();
    equal(code, 0, stderr);
    match(stdout, /^baseline +0\.\d+/m);
  });
}

Deno.test("LD_LIBRARY_PATH's folders are searched by the process that measures", { ignore: !hasGcc }, async () => {
  await using folder = new TemporaryFolder();
  const source = new URL("../cuda/stub_empty.c", import.meta.url);
  // A provider that needs cuBLAS of CUDA 13, which is found, and other libraries, which are not
  const cublas = await compileStub(source, "libcublas.so.13", { NAME: "cublas" });
  for (const name of ["libonnxruntime_providers_cuda.so", "libonnxruntime_providers_shared.so"]) {
    Deno.writeTextFileSync(join(folder.path, name), `\0${ORT_VERSION}\0`);
  }
  Deno.symlinkSync(findOnnxRuntime({ env: () => undefined }).libraryPath, join(folder.path, "libonnxruntime.so.1"));
  const said = async (LD_LIBRARY_PATH: string) => {
    const args = ["--max_tokens", "48", "--device", "cuda", "--output", join(folder.path, "out")];
    await using run = task("bench", args, { env: { ORT_DIR: folder.path, LD_LIBRARY_PATH } });
    const { code, stderr } = await run.ended();
    equal(code, 2, stderr);
    match(stderr, /^Cannot use /m);
    return stderr;
  };
  const [without, found] = [await said("/nowhere/lib"), await said(`/nowhere/lib:${dirname(cublas)}`)];
  match(without, /libcublas\.so\.13/);
  ok(!/libcublas\.so\.13/.test(found), found);
});

Deno.test("children get the variables that they need, and no secret", { ignore }, async () => {
  await using folder = new TemporaryFolder();
  const secrets = {
    HF_TOKEN: "hf_secret",
    SECRET_X: "s",
    AWS_SECRET_ACCESS_KEY: "s",
    ...await loaderVariables(folder.path),
  };
  await using run = task("bench", [...quick, "--output", folder.path], { env: { ...secrets, OMP_NUM_THREADS: "1" } });
  const seen: Record<string, string>[] = [];
  for (const script of [/child_main\.ts/, /chart_main\.ts/]) {
    // Before Deno starts in it, a new process has its parent's variables.
    const env = await environmentOf((await run.process(script)).pid);
    ok(env.PATH !== undefined && env.NO_COLOR === "1", JSON.stringify(env));
    for (const name of Object.keys(secrets)) equal(env[name], undefined, name);
    seen.push(env);
  }
  equal(seen[0]!.OMP_NUM_THREADS, "1");
  equal(seen[1]!.OMP_NUM_THREADS, undefined);
  equal((await run.ended()).code, 0);
});

/** Runs a task's script through a shell that redirects its outputs. */
function redirected(script: string, args: readonly string[], cwd?: string): Session {
  const command = [deno, ...taskArguments("bench"), ...args];
  return new Session("bash", ["-c", script, "bash", ...command], cwd === undefined ? {} : { cwd });
}

for (
  const [what, script, expected] of [
    ["standard output closed", 'exec "$@" >&-', 0],
    ["standard error closed", 'exec "$@" 2>&-', 0],
    ["both closed", 'exec "$@" >&- 2>&-', 0],
    ["standard output full", 'exec "$@" >/dev/full', 1],
    ["standard error full", 'exec "$@" 2>/dev/full', 0],
    ["both full", 'exec "$@" >/dev/full 2>&1', 1],
    ["a reader that is gone", 'set -o pipefail; "$@" 2>/dev/null | true', 1],
    ["readers of both that are gone", 'set -o pipefail; "$@" 2>&1 | true', 1],
  ] as const
) {
  Deno.test(`bench: with ${what} all is measured and saved`, { ignore }, async () => {
    await using folder = new TemporaryFolder();
    await using run = redirected(script, [...quick, "--output", join(folder.path, "out")]);
    const { code, stderr } = await run.ended();
    equal(code, expected, stderr);
    ok(!/^ +at /m.test(stderr), stderr);
    if (what === "standard output full") match(stderr, /^Cannot write to standard output: /m);
    deepEqual(await measured(join(folder.path, "out")), ALL);
    deepEqual(await run.left(), []);
  });
}

Deno.test("bench: a reader that never reads keeps nothing from being measured, and no signal from being heard", {
  ignore,
}, async () => {
  await using folder = new TemporaryFolder();
  // The pipe is full from the beginning.
  const script = '{ head -c 65536 /dev/zero; exec "$@"; } 2>&1 | sleep 1000';
  await using run = redirected(script, [...quick, "--json", "--output", join(folder.path, "out")]);
  // The shell's processes have the same words in their command lines.
  const parent = await run.process(/^\S+ run .* bench\/kv_cache\.ts /);
  const isWhole = async () => {
    try {
      return (await measured(join(folder.path, "out"))).length === ALL.length;
    } catch {
      return false;
    }
  };
  while (!await isWhole()) await new Promise((resolve) => setTimeout(resolve, 200));
  // It waits for its reader, or soon will.
  const alive = async () => (await run.left(0)).some((line) => line.startsWith(`${parent.pid} `));
  await new Promise((resolve) => setTimeout(resolve, 4000));
  ok(await alive());
  Deno.kill(parent.pid, "SIGTERM");
  for (let i = 0; i < 50 && await alive(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  equal(await alive(), false);
  deepEqual(await measured(join(folder.path, "out")), ALL);
});

Deno.test("bench: paths are from the folder that the user stands in, and printed whole", { ignore }, async () => {
  await using temporary = new TemporaryFolder();
  const folder = Deno.realPathSync(temporary.path);
  const model = join(folder, "my", "model");
  Deno.mkdirSync(model, { recursive: true });
  for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
    Deno.copyFileSync(join(project, "lib/assets/novel-neox-8m", name), join(model, name));
  }
  Deno.writeTextFileSync(join(folder, "text.txt"), Deno.readTextFileSync(join(project, "README.md")).repeat(3));
  const config = join(project, "deno.json");
  const args = [...quick, "--model_id", "my/model", "--dataset", "./text.txt", "--output", "out"];
  const start = ["task", "--config", config, "bench", ...args];
  let results: string;
  {
    await using run = new Session(deno, start, { cwd: folder });
    const { code, stderr } = await run.ended();
    equal(code, 0, stderr);
    results = /^Results: (.*)$/m.exec(stderr)![1]!;
    ok(results.startsWith(join(folder, "out") + "/"), results);
    deepEqual(await measured(join(folder, "out")), ALL);
  }
  const { config: { command, model_id, dataset } } = await readResults(results);
  deepEqual([model_id, dataset], [model, join(folder, "text.txt")]);
  ok(command!.includes(`--output=${join(folder, "out")}`), command!.join(" "));
  // Resumed from yet another folder
  await using run = new Session(deno, [
    "task",
    "--config",
    config,
    "bench",
    "--resume",
    dirname(results).split("/").at(-1)!,
  ], {
    cwd: join(folder, "out"),
  });
  const { code, stderr } = await run.ended();
  equal(code, 0, stderr);
  match(stderr, new RegExp(`^Results: ${results}$`, "m"));
});

Deno.test("bench: a folder of the checkout is where the user stands, too", { ignore }, async () => {
  const sub = Deno.makeTempDirSync({ dir: join(project, "tests"), prefix: "tmp_" });
  try {
    await using run = new Session(deno, ["task", "bench", ...quick, "--output", "x"], { cwd: sub });
    const { code, stderr } = await run.ended();
    equal(code, 0, stderr);
    deepEqual(await measured(join(sub, "x")), ALL);
  } finally {
    Deno.removeSync(sub, { recursive: true });
  }
});
