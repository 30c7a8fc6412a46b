import { deepEqual, equal, rejects } from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { removeTemporaries, writeAtomic } from "../../lib/util/write_atomic.ts";
import { TemporaryFolder } from "../bench/_bench.ts";

Deno.test("writeAtomic() writes all of any content, over what was there, and leaves nothing else", async () => {
  await using folder = new TemporaryFolder();
  const path = join(folder.path, "file");
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.string({ unit: "grapheme" })), async (data) => {
      await writeAtomic(path, data);
      const written = await Deno.readFile(path);
      deepEqual([...written], [...typeof data === "string" ? new TextEncoder().encode(data) : data]);
      deepEqual(folder.names(), ["file"]);
    }),
    { numRuns: 40 },
  );
});

Deno.test("writeAtomic() of many at once shows a reader one of them, whole", async () => {
  await using folder = new TemporaryFolder();
  const path = join(folder.path, "file");
  const contents = Array.from({ length: 12 }, (_, i) => `${i} `.repeat(40_000));
  let over = false;
  const seen = (async () => {
    while (!over) {
      const text = await Deno.readTextFile(path).catch(() => contents[0]!);
      equal(contents.includes(text), true, `half a file: ${text.length} characters`);
    }
  })();
  await Promise.all(contents.map((content) => writeAtomic(path, content)));
  over = true;
  await seen;
  deepEqual(folder.names(), ["file"]);
});

Deno.test("writeAtomic() leaves what was there, and nothing else, where it cannot be done", async () => {
  await using folder = new TemporaryFolder();
  // A rename does not replace a folder.
  await Deno.mkdir(join(folder.path, "taken", "full"), { recursive: true });
  await rejects(writeAtomic(join(folder.path, "taken"), "text"));
  deepEqual(folder.names(), ["taken"]);
  await rejects(writeAtomic(join(folder.path, "none", "file"), "text"), Deno.errors.NotFound);
});

Deno.test("removeTemporaries() removes what writeAtomic() leaves when it is killed, and no other files", async () => {
  await using folder = new TemporaryFolder();
  const mine = ["results.json.12-1.tmp", "trace_a.json.99999-12.tmp", "a.png.1-1.tmp"];
  const others = ["results.json", "notes.tmp", "results.json.tmp", "x.1-.tmp", "x.12-1.tmp.bak"];
  for (const name of [...mine, ...others]) await Deno.writeTextFile(join(folder.path, name), "");
  await removeTemporaries(folder.path);
  deepEqual(folder.names(), [...others].sort());
});
