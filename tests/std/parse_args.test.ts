import assert from "node:assert/strict";
import { parseArgs } from "@std/cli";
import { parseArgs as same } from "@std/cli/parse-args";

// These tests assert the behaviour of @std/cli 1.0: they pass with the local package and with the real one.

Deno.test("parseArgs() reads strings, booleans and the rest", () => {
  const args = parseArgs([
    "--out",
    "a",
    "--quiet",
    "in.txt",
    "--level=3",
    "7",
    "-",
  ], {
    string: ["out"],
    boolean: ["quiet", "loud"],
  });
  assert.equal(args.out, "a");
  assert.equal(args.quiet, true);
  assert.equal(args.loud, false);
  assert.equal(args.level, 3);
  assert.deepEqual(args._, ["in.txt", 7, "-"]);
});

Deno.test("parseArgs() leaves strings as they are", () => {
  const args = parseArgs(["--id=007", "--path", "a=b=c", "--empty", "--next"], {
    string: ["id", "path", "empty"],
  });
  assert.equal(args.id, "007");
  assert.equal(args.path, "a=b=c");
  assert.equal(args.empty, "");
  assert.equal(args.next, true);
});

Deno.test("parseArgs() reads booleans with a value", () => {
  const args = parseArgs(["--a=false", "--b", "false", "--c", "no"], {
    boolean: ["a", "b", "c"],
  });
  assert.deepEqual([args.a, args.b, args.c, args._], [false, false, true, [
    "no",
  ]]);
});

Deno.test("parseArgs() reads short flags and aliases", () => {
  const options = {
    boolean: ["help"],
    string: ["name"],
    alias: { help: "h", name: ["n"] },
  } as const;
  assert.equal(parseArgs(["-h"], options).help, true);
  assert.equal(parseArgs(["-n", "x"], options).name, "x");
  assert.equal(parseArgs(["-n=x"], options).name, "x");
  assert.equal(parseArgs(["--name=x"], options)["n"], "x");
  assert.deepEqual(parseArgs(["-abc"]), { _: [], a: true, b: true, c: true });
  assert.deepEqual(parseArgs(["-n5"]), { _: [], n: 5 });
});

Deno.test("parseArgs() collects, fills in and passes on", () => {
  const args = parseArgs(["--add=1", "--add", "2", "--", "--x"], {
    string: ["add", "more", "out"],
    collect: ["add", "more"],
    default: { out: "here" },
    "--": true,
  });
  assert.deepEqual(args.add, ["1", "2"]);
  assert.deepEqual(args.more, []);
  assert.equal(args.out, "here");
  assert.deepEqual(args["--"], ["--x"]);
  assert.deepEqual(parseArgs(["a", "--", "--x"])._, ["a", "--x"]);
});

Deno.test("parseArgs() asks about what it does not know", () => {
  const asked: unknown[] = [];
  const args = parseArgs(["--known", "--other=3", "file"], {
    boolean: ["known"],
    unknown: (arg, key, value) => {
      asked.push([arg, key, value]);
      return false;
    },
  });
  assert.deepEqual(asked, [["--other=3", "other", "3"], [
    "file",
    undefined,
    undefined,
  ]]);
  assert.deepEqual(args, { _: [], known: true });
});

Deno.test("parseArgs() is also exported as parse-args", () => assert.equal(same, parseArgs));
