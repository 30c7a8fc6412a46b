import { equal, notEqual, rejects } from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import fc from "fast-check";
import { fingerprintOfFile } from "../../lib/util/fingerprint.ts";
import { TemporaryFolder } from "../bench/_bench.ts";

Deno.test("fingerprintOfFile() is SHA-256 of a file that is not large, whatever its length", async () => {
  await using folder = new TemporaryFolder();
  const path = join(folder.path, "file");
  const lengths = fc.oneof(fc.nat(300_000), fc.constantFrom(0, 1, 65535, 65536, 65537, 131072));
  await fc.assert(
    fc.asyncProperty(lengths, fc.nat(255), async (length, byte) => {
      const bytes = new Uint8Array(length).map((_, i) => i * byte);
      await Deno.writeFile(path, bytes);
      equal(await fingerprintOfFile(path), createHash("sha256").update(bytes).digest("hex"));
    }),
    { numRuns: 30 },
  );
  await rejects(fingerprintOfFile(join(folder.path, "none")), Deno.errors.NotFound);
});

Deno.test("fingerprintOfFile() of a large file tells its length, its ends and its pieces", async () => {
  await using folder = new TemporaryFolder();
  const path = join(folder.path, "large");
  const size = 80 << 20; // larger than files hashed whole; a hole takes no space
  const change = async (at: number) => {
    using file = await Deno.open(path, { write: true });
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(new Uint8Array([1]));
  };
  using made = await Deno.open(path, { write: true, create: true });
  await made.truncate(size);
  const seen = [await fingerprintOfFile(path)];
  // The first byte, the last one, and one in the middle piece
  for (const at of [0, size - 1, Math.floor((size - 65536) * 128 / 255) + 5]) {
    await change(at);
    seen.push(await fingerprintOfFile(path));
  }
  await made.truncate(size + 1);
  seen.push(await fingerprintOfFile(path));
  equal(new Set(seen).size, seen.length);
  notEqual(seen[0], createHash("sha256").update(new Uint8Array(size)).digest("hex"));
});
