/** Packed texts: archives of several members, and damaged ones. */
import { equal, match, ok, rejects } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { InputError } from "../../lib/util/errors.ts";
import { filePieces } from "../../lib/text/file_pieces.ts";
import { withFolder } from "./_tokenizers.ts";

const fault = (why: string, cause?: unknown) => new InputError(why, { cause });
const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));
const bytes = (text: string) => new TextEncoder().encode(text);

/** Returns the unpacked bytes of a .gz file. */
const unpacked = (packed: Uint8Array) =>
  withFolder({ "text.txt.gz": packed }, async (folder) => {
    const stream = ReadableStream.from(filePieces(`${folder}/text.txt.gz`, fault));
    return await new Response(stream).text();
  });

Deno.test("an archive of several members is all of their texts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), async (texts) => {
      equal(await unpacked(joined(...texts.map((text) => gzipSync(text)))), texts.join(""));
    }),
    { numRuns: 30 },
  );
  // Members that end anywhere in the pieces that are read.
  const long = "Call me Ishmael. ".repeat(40_000);
  const noise = Array.from({ length: 300_000 }, (_, i) => String.fromCharCode(33 + (i * i * 7919 + i * 31) % 90)).join(
    "",
  );
  equal(
    await unpacked(joined(gzipSync(long), gzipSync(noise, { level: 0 }), gzipSync(""), gzipSync("end"))),
    `${long}${noise}end`,
  );
});

Deno.test("what follows an archive, or is missing of one, is an error", async () => {
  const whole = gzipSync("Call me Ishmael. ".repeat(1000));
  const refuses = (packed: Uint8Array, pattern: RegExp) =>
    rejects(unpacked(packed), (error: Error) => {
      ok(error instanceof InputError, String(error));
      match(error.message, pattern);
      return true;
    });
  await refuses(
    joined(whole, bytes("junk that is no archive")),
    /^(what follows its packed data is not gzip|it is not gzip, or damaged)$/,
  );
  await refuses(whole.subarray(0, -3), /^it is not gzip, or damaged$/);
  await refuses(joined(whole, whole.subarray(0, 12)), /^it is not gzip, or damaged$/);
  await refuses(bytes("no archive at all"), /^it is not gzip, or damaged$/);
  const flipped = Uint8Array.from(whole);
  flipped[flipped.length - 6]! ^= 1;
  await refuses(flipped, /^it is not gzip, or damaged$/);
});

Deno.test("an archive that unpacks to much is read as far as it is asked for, and ends when it is told to", async () => {
  const piece = gzipSync(new Uint8Array(1 << 24).fill(0x0a));
  const bomb = joined(...new Array(100).fill(piece)); // 1.6 GB
  await withFolder({ "text.txt.gz": bomb }, async (folder) => {
    const path = `${folder}/text.txt.gz`;
    for await (const piece of filePieces(path, fault)) {
      ok(piece.length > 0);
      break;
    }
    const signal = AbortSignal.timeout(200);
    const began = performance.now();
    const read = async () => {
      for await (const _ of filePieces(path, fault, signal)) { /* let go */ }
    };
    await rejects(read(), (error) => error === signal.reason);
    ok(performance.now() - began < 1500);
  });
});
