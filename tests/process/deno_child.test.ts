import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import { denoProgram, endWith, readLines } from "../../lib/process/deno_child.ts";

/** Starts a child that would run for a minute. */
const waiting = () => new Deno.Command(denoProgram(), { args: ["eval", "setTimeout(() => {}, 60_000)"] }).spawn();

Deno.test("endWith() ends a child by its signal, at once or before, and at the end of the scope", async () => {
  const early = AbortSignal.abort(), later = new AbortController();
  const children = [waiting(), waiting(), waiting()] as const;
  using _early = endWith(children[0], early);
  using _later = endWith(children[1], later.signal);
  {
    using _scope = endWith(children[2], later.signal);
  }
  const ends = Promise.all(children.map(async ({ status }) => (await status).signal));
  later.abort();
  deepEqual(await ends, ["SIGKILL", "SIGKILL", "SIGKILL"]);
});

Deno.test("readLines() hands over whole lines, wherever their bytes are cut", async () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""));
  await fc.assert(
    fc.asyncProperty(fc.array(line), line, fc.integer({ min: 1, max: 9 }), async (lines, rest, piece) => {
      const bytes = new TextEncoder().encode([...lines, rest].join("\n"));
      const pieces = Array.from(
        { length: Math.ceil(bytes.length / piece) },
        (_, i) => bytes.slice(i * piece, (i + 1) * piece),
      );
      const seen: string[] = [];
      await readLines(ReadableStream.from(pieces), (line) => seen.push(line));
      // A byte order mark at the beginning is not part of the text.
      deepEqual(seen, lines.map((line, i) => i === 0 ? line.replace(/^\uFEFF/, "") : line));
    }),
  );
});
