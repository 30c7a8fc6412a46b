import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { runChild } from "../../lib/run/child/child.ts";
import { causeOf } from "../../lib/run/child/child_side.ts";
import { TemporaryFolder } from "../bench/_bench.ts";

Deno.test("causeOf() finds what was thrown first, however many times giving back fails", () => {
  fc.assert(fc.property(fc.array(fc.string()), (messages) => {
    const first = new Error("out of memory");
    const thrown = messages.reduce<Error>((error, message) => new SuppressedError(new Error(message), error), first);
    equal(causeOf(thrown), first);
  }));
  // The error that `using` makes
  const first = new RangeError("first");
  try {
    using _a = {
      [Symbol.dispose]: () => {
        throw new Error("third");
      },
    };
    using _b = {
      [Symbol.dispose]: () => {
        throw new Error("second");
      },
    };
    throw first;
  } catch (error) {
    ok(error instanceof SuppressedError);
    equal(causeOf(error), first);
  }
});

/** A child that runs the given code, as child_main.ts runs its own. */
async function childOf(folder: TemporaryFolder, work: string): Promise<string> {
  const path = join(folder.path, "child.ts");
  const side = new URL("../../lib/run/child/child_side.ts", import.meta.url).href;
  await Deno.writeTextFile(
    path,
    `import { serveOne } from ${JSON.stringify(side)};\nawait serveOne(async (request, emit) => {${work}});\n`,
  );
  return new URL(`file://${path}`).href;
}

Deno.test("a child's failure is told by its cause, not by what failed in giving memory back", async () => {
  await using folder = new TemporaryFolder();
  const script = await childOf(
    folder,
    `
    using a = { [Symbol.dispose]: () => { throw new Error("cannot give back"); } };
    throw new Error("Failed to allocate memory for requested buffer of size 1");`,
  );
  const { code, error, log } = await runChild<{ type: string }, object>({}, () => {}, undefined, script);
  deepEqual([code, error?.message], [1, "Failed to allocate memory for requested buffer of size 1"]);
  ok(!/suppressed during disposal/.test(log), log);
  match(log, /Failed to allocate/);
});

Deno.test("a child goes on after a sample when its parent has dealt with it, and no earlier", async () => {
  await using folder = new TemporaryFolder();
  // It has no permission to write: events report what it has done.
  const script = await childOf(
    folder,
    `
    for (let i = 0; i < 3; i++) { emit({ type: "before", i, at: Date.now() }); emit({ type: "sample", i }); }
    emit({ type: "end", at: Date.now() });`,
  );
  const saved: number[] = [], began: number[] = [];
  const { code } = await runChild<{ type: string; i: number; at: number }, object>(
    {},
    async (event) => {
      if (event.type === "sample") {
        await new Promise((resolve) => setTimeout(resolve, 150));
        saved.push(Date.now());
      } else began.push(event.at);
    },
    undefined,
    script,
  );
  equal(code, 0);
  deepEqual([saved.length, began.length], [3, 4]);
  saved.forEach((at, i) => ok(at <= began[i + 1]!, `sample ${i} was saved ${at - began[i + 1]!} ms late`));
});

Deno.test("a child whose parent cannot deal with a sample ends", async () => {
  await using folder = new TemporaryFolder();
  const script = await childOf(
    folder,
    `emit({ type: "sample" }); await new Promise(() => setTimeout(() => {}, 60_000));`,
  );
  let message = "";
  await runChild<{ type: string }, object>(
    {},
    () => {
      throw new Error("the caller's");
    },
    undefined,
    script,
  ).catch((error: Error) => message = error.message);
  equal(message, "the caller's");
});
