import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { Outlet } from "../../lib/process/outlet.ts";

const decode = (parts: readonly Uint8Array[]) => new TextDecoder().decode(new Uint8Array(parts.flatMap((p) => [...p])));

Deno.test("Outlet writes all in order, whatever part of it is taken at a time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "grapheme" })), fc.array(fc.nat(20)), async (texts, takes) => {
      const taken: Uint8Array[] = [];
      let at = 0;
      const outlet = new Outlet({
        write: async (bytes) => {
          const part = bytes.subarray(0, 1 + (takes[at++ % takes.length] ?? 3));
          await Promise.resolve();
          taken.push(part);
          return part.length;
        },
      });
      for (const text of texts) outlet.write(text);
      equal(await outlet.flushed(), undefined);
      equal(decode(taken), texts.join(""));
    }),
  );
});

Deno.test("Outlet tries each line anew, and tells the first thing that went wrong", async () => {
  const taken: string[] = [];
  const outlet = new Outlet({
    write: (bytes) => {
      const text = new TextDecoder().decode(bytes);
      if (text.startsWith("!")) return Promise.reject(new Error(text.trim()));
      taken.push(text);
      return Promise.resolve(bytes.length);
    },
  });
  for (const line of ["a", "!1", "b", "!2", "c"]) outlet.line(line);
  equal((await outlet.flushed())?.message, "!1");
  deepEqual(taken, ["a\n", "b\n", "c\n"]);
});

Deno.test("Outlet waits no longer than it is told, and keeps no more than some megabytes for a reader that halts", async () => {
  let release = () => {};
  const halted = new Promise<void>((resolve) => release = resolve);
  let characters = 0;
  const outlet = new Outlet({
    write: async (bytes) => {
      await halted;
      characters += bytes.length;
      return bytes.length;
    },
  });
  for (let i = 0; i < 100; i++) outlet.write("x".repeat(1 << 20));
  equal(await outlet.flushed(20), undefined);
  equal(characters, 0);
  release();
  await outlet.flushed();
  ok(characters >= 4 << 20 && characters <= 6 << 20, `${characters}`);
  // The disk has room again.
  outlet.write("y");
  await outlet.flushed();
  ok(characters % 2 === 1);
});
