import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { LineReader } from "../../lib/process/line_reader.ts";

/** Makes a source of bytes in pieces of these sizes. */
function source(bytes: Uint8Array, pieces: readonly number[]) {
  let at = 0, next = 0;
  return {
    readSync(into: Uint8Array): number | null {
      if (at === bytes.length) return null;
      const piece = bytes.subarray(at, at + Math.min(into.length, pieces[next++ % pieces.length]!));
      into.set(piece);
      at += piece.length;
      return piece.length;
    },
  };
}

Deno.test("LineReader gives whole lines, wherever their bytes are cut, and nothing of one without an end", () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/[\n\uFEFF]/g, ""));
  const pieces = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 5 });
  const long = fc.integer({ min: 0, max: 200_000 }).map((length) => "é".repeat(length));
  fc.assert(fc.property(fc.array(fc.oneof(line, line, long), { maxLength: 6 }), line, pieces, (lines, rest, pieces) => {
    const bytes = new TextEncoder().encode([...lines, rest].join("\n"));
    const reader = new LineReader(source(bytes, pieces));
    deepEqual(lines.map(() => reader.next()), lines);
    equal(reader.next(), undefined);
  }));
});

Deno.test("LineReader reads no further than it must: the next line may come in answer to this one", () => {
  let reads = 0;
  const reader = new LineReader({
    readSync(into) {
      reads++;
      const bytes = new TextEncoder().encode(`${reads}a\n${reads}b\n`);
      into.set(bytes);
      return bytes.length;
    },
  });
  deepEqual([reader.next(), reader.next(), reads], ["1a", "1b", 1]);
  deepEqual([reader.next(), reads], ["2a", 2]);
});
