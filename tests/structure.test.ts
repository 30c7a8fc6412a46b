/** What holds for the project as a whole: which room may import from which, tasks, sizes. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { fromFileUrl, join, relative } from "@std/path";
import config from "../deno.json" with { type: "json" };

const project = fromFileUrl(new URL("..", import.meta.url));

/** From the bottom up: a room imports from itself and from those before it. */
const ROOMS = [
  "lib/std",
  "lib/errors.ts",
  "lib/dtype.ts",
  "lib/digest.ts",
  "lib/sha256.ts",
  "lib/suggest.ts",
  "lib/write_atomic.ts",
  "lib/util",
  "lib/cuda",
  "lib/onnx",
  "lib/ort",
  "lib/nvml",
  "lib/policies",
  "lib/kernels",
  "lib/model",
  "lib/hub",
  "lib/text",
  "lib/cache",
  "lib/engine",
  "lib/report",
  "lib/run",
  "lib/roofline",
  "mod.ts",
  "bench",
] as const;

/** Lines of the longest file that lib may have. */
const LONGEST = 300;

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(project, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

const files = ["mod.ts", ...sources("lib"), ...sources("bench")].sort();
const read = (path: string) => Deno.readTextFileSync(join(project, path));

/** The room of a file, as an index of {@linkcode ROOMS}. */
function roomOf(path: string): number {
  const room = ROOMS.findIndex((room) => path === room || path.startsWith(`${room}/`));
  ok(room >= 0, `${path} is in no room: add it to tests/structure.test.ts and to the README's picture`);
  return room;
}

/** Files of the project that a file imports or starts, by its text without comments. */
function importsOf(path: string): string[] {
  const code = read(path).replaceAll(/^\s*(\/\*\*[^]*?\*\/|\/\/.*)$/gm, "");
  const specifiers = code.matchAll(
    /(?:\bfrom\s*|\bimport\s*\(?\s*|\bimport\.meta\.resolve\(\s*|\bnew URL\(\s*)"([^"]+)"/g,
  );
  return [...specifiers].map(([, specifier]) => specifier!).filter((specifier) => /^\.\.?\//.test(specifier))
    .map((specifier) => relative(project, fromFileUrl(new URL(specifier, `file://${join(project, path)}`))));
}

Deno.test("imports point one way, from the bench down", () => {
  const upward = files.flatMap((path) =>
    importsOf(path)
      .filter((target) => target.endsWith(".ts") && roomOf(target) > roomOf(path))
      .map((target) => `${path} imports ${target}`)
  );
  deepEqual(upward, []);
  // The test itself sees imports
  ok(importsOf("bench/kv_cache.ts").includes("lib/run/benchmark.ts"));
  ok(importsOf("lib/run/child.ts").includes("lib/run/child_main.ts"));
});

Deno.test("std is imported by its own name, and stands for itself", () => {
  for (const path of files.filter((path) => !path.startsWith("lib/std/"))) {
    for (const target of importsOf(path)) ok(!target.startsWith("lib/std/"), `${path} imports ${target}`);
  }
});

Deno.test("every file of lib holds one idea: none is long", () => {
  const long = files.filter((path) => path.startsWith("lib/") && read(path).trimEnd().split("\n").length > LONGEST);
  deepEqual(long, []);
});

Deno.test("every script has a task, every task a description, and none has all permissions", () => {
  const tasks = Object.entries(config.tasks);
  for (const path of sources("bench")) {
    ok(tasks.some(([, { command }]) => command.split(" ").includes(path)), `${path} has no task`);
  }
  for (const [name, { command, description }] of tasks) {
    ok(description.length > 0, name);
    ok(!/(^|\s)(-A|--allow-all|--allow-net)(\s|$)/.test(command), `${name} may do everything`);
    const opensRuntime = /(^|\s)--allow-ffi(\s|$)/.test(command);
    equal(command.startsWith("ORT_DISABLE_TELEMETRY=1 deno "), opensRuntime, `${name} and ONNX Runtime's telemetry`);
  }
  // The process that starts the others has no native code in it, and reaches no net.
  for (const name of ["bench", "example", "own-method", "bench:engine"] as const) {
    ok(!/allow-(ffi|net)/.test(config.tasks[name].command), name);
  }
  // What runs is what was checked: a lock file that does not fit is an error.
  for (const [name, { command }] of tasks) {
    for (const [part] of command.matchAll(/\bdeno (run|test|bench)\b[^&]*/g)) ok(/ --frozen( |$)/.test(part), name);
  }
});

Deno.test("two processes may reach the net: those that download", () => {
  deepEqual(files.filter((path) => path.startsWith("lib/") && /["`]--allow-net/.test(read(path))), [
    "lib/hub/child.ts",
    "lib/util/assets.ts",
  ]);
});

Deno.test("the README names tasks and flags that there are", async () => {
  const { flagNames } = await import("../lib/run/flag_table.ts");
  const readme = read("README.md");
  for (const [, task] of readme.matchAll(/\bdeno task ([a-z:-]+)/g)) {
    ok(Object.hasOwn(config.tasks, task!), `deno task ${task}`);
  }
  const others = ["config", "ignore-env", "gpus", "dry-run"];
  for (const [, flag] of readme.matchAll(/(?<![\w-])--([a-z][a-z0-9_-]+)/g)) {
    const known = flagNames.some((name) => name === flag!.replaceAll("-", "_")) || flag!.startsWith("allow-");
    ok(known || others.includes(flag!), `--${flag}`);
  }
});

Deno.test("ONNX Runtime's version is one", async () => {
  const { ORT_VERSION } = await import("../lib/ort/setup_folder.ts");
  equal(config.imports["onnxruntime-node"], `npm:onnxruntime-node@${ORT_VERSION}`);
});
