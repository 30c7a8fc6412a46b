/** Rules for the whole project: imports between rooms, tasks, sizes. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { fromFileUrl, join, relative } from "@std/path";
import { ROOM_PAGE, roomsOf } from "../bench/tools/docs/rooms.ts";
import config from "../deno.json" with { type: "json" };

const project = fromFileUrl(new URL("..", import.meta.url));

/** From the bottom up: a room imports from itself and from rooms before it. Only the page lists them. */
const ROOMS = roomsOf(Deno.readTextFileSync(join(project, ROOM_PAGE)));

/** Longest file allowed in lib, lines. */
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

/** Returns the room of a file, as an index of {@linkcode ROOMS}. */
function roomOf(path: string): number {
  const room = ROOMS.findIndex((room) => path === room || path.startsWith(`${room}/`));
  ok(room >= 0, `${path} is in no room: add it to the list in ${ROOM_PAGE}`);
  return room;
}

/**
 * Returns the project's files that a file imports, or starts as a process or worker, from its text without comments.
 */
function importsOf(path: string, started = true): string[] {
  const code = read(path).replaceAll(/^\s*(\/\*\*[^]*?\*\/|\/\/.*)$/gm, "");
  const specifiers = code.matchAll(
    started
      ? /(?:\bfrom\s*|\bimport\s*\(?\s*|\bimport\.meta\.resolve\(\s*|\bnew URL\(\s*)"([^"]+)"/g
      : /(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g,
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
  ok(ROOMS.length > 10);
  // The test itself sees imports
  ok(importsOf("bench/kv_cache.ts").includes("lib/cli/run_and_report.ts"));
  ok(importsOf("lib/run/child/child.ts").includes("lib/run/child/child_main.ts"));
});

Deno.test("no files import each other in a circle, inside a room either", () => {
  const imported = new Map(files.map((path) => [path, importsOf(path, false)]));
  deepEqual(circlesOf(imported), []);
  // The test itself sees circles
  deepEqual(circlesOf(new Map([["a", ["b"]], ["b", ["c", "d"]], ["c", ["a"]], ["d", []]])), [["a", "b", "c"]]);
});

/** Finds groups of files that import each other, directly or indirectly (Tarjan 1972). */
function circlesOf(imported: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>(), lowest = new Map<string, number>();
  const open: string[] = [], circles: string[][] = [];
  const visit = (file: string) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    open.push(file);
    for (const target of imported.get(file) ?? []) {
      if (!imported.has(target)) continue;
      if (!order.has(target)) visit(target);
      if (open.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of imported.keys()) if (!order.has(file)) visit(file);
  return circles;
}

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
  const scripts = [...sources("bench")];
  const imported = new Set(scripts.flatMap((path) => importsOf(path)));
  for (const path of scripts.filter((path) => !imported.has(path))) {
    ok(tasks.some(([, { command }]) => command.split(" ").includes(path)), `${path} has no task`);
  }
  for (const [name, { command, description }] of tasks) {
    ok(description.length > 0, name);
    ok(!/(^|\s)(-A|--allow-all|--allow-net)(\s|$)/.test(command), `${name} may do everything`);
    const opensRuntime = /(^|\s)--allow-ffi(\s|$)/.test(command);
    equal(command.startsWith("ORT_DISABLE_TELEMETRY=1 deno "), opensRuntime, `${name} and ONNX Runtime's telemetry`);
  }
  // The process that starts the others runs no native code, and does not use the network.
  for (const name of ["bench", "precision", "example", "own-method", "bench:engine"] as const) {
    ok(!/allow-(ffi|net)/.test(config.tasks[name].command), name);
  }
  // The checked versions run: a lock file that does not match is an error.
  for (const [name, { command }] of tasks) {
    for (const [part] of command.matchAll(/\bdeno (run|test|bench)\b[^&]*/g)) ok(/ --frozen( |$)/.test(part), name);
  }
});

Deno.test("two processes may reach the network: those which download", () => {
  deepEqual(files.filter((path) => path.startsWith("lib/") && /["`]--allow-net/.test(read(path))), [
    "lib/hub/child.ts",
    "lib/process/assets.ts",
  ]);
});

Deno.test("ONNX Runtime's version is one", async () => {
  const { ORT_VERSION } = await import("../lib/ort/setup_folder.ts");
  equal(config.imports["onnxruntime-node"], `npm:onnxruntime-node@${ORT_VERSION}`);
});

Deno.test("no package's build script runs, and Deno has nothing to say of them", () => {
  const { npm } = JSON.parse(read("deno.lock")) as { npm: Record<string, { scripts?: boolean }> };
  const withScripts = Object.entries(npm).filter(([, { scripts }]) => scripts).map(([name]) =>
    `npm:${/^(.[^@]*)@/.exec(name)![1]}`
  );
  ok(withScripts.length > 0);
  deepEqual(config.allowScripts.deny, [...new Set(withScripts)].sort());
  deepEqual(config.allowScripts.allow, []);
});
