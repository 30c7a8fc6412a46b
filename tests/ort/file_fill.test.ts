import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { CudaRuntime } from "../../lib/cuda/runtime.ts";
import { InputError } from "../../lib/util/errors.ts";
import { CpuDevice } from "../../lib/ort/cpu_device.ts";
import { CudaDevice } from "../../lib/ort/cuda_device.ts";
import type { Device } from "../../lib/ort/device.ts";
import { FileFill } from "../../lib/ort/file_fill.ts";
import { cutPieces, type FileRange } from "../../lib/ort/read_pieces.ts";
import { compileStub, hasGcc } from "../cuda/compile_stub.ts";

/** Files of bytes that say where they are, in a temporary folder. */
class Files implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "kvcompress_fill_" });

  add(name: string, bytes: number, seed: number): string {
    const path = join(this.folder, name);
    Deno.writeFileSync(path, Uint8Array.from({ length: bytes }, (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24));
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** The memory after a fill, and what must be in it. */
function filled(device: Device, size: number, ranges: readonly FileRange[], how: { readers: number; piece: number }) {
  using memory = device.allocate(size);
  using fill = new FileFill(device, memory, ranges, how);
  ok(fill.wait() >= 0);
  equal(fill.wait(), fill.wait());
  const got = new Uint8Array(size), expected = new Uint8Array(size);
  device.read(memory, 0, got);
  for (const { file, offset, bytes, to } of ranges) {
    expected.set(Deno.readFileSync(file).subarray(offset, offset + bytes), to);
  }
  return { got, expected };
}

/** Ranges of two files, with gaps and without, at any offset, some of nothing. */
function rangesOf(files: readonly string[]): { ranges: FileRange[]; size: number } {
  let to = 3;
  const ranges = files.flatMap((file, i) =>
    [[7, 1000], [1007, 1], [1008, 0], [1008, 5000], [6100, 300], [6400, 33]].map(([offset, bytes]) => {
      const range = { file, offset: offset! + i, bytes: bytes!, to };
      to += Math.ceil((bytes! + 1) / 64) * 64;
      return range;
    })
  );
  return { ranges, size: to };
}

Deno.test("files are read to where they belong, on the CPU", () => {
  using files = new Files();
  const { ranges, size } = rangesOf([files.add("a", 7000, 1), files.add("b", 7000, 2)]);
  using device = new CpuDevice();
  for (const how of [{ readers: 1, piece: 1 << 20 }, { readers: 3, piece: 100 }]) {
    const { got, expected } = filled(device, size, ranges, how);
    deepEqual(got, expected);
  }
});

Deno.test("files are read to where they belong, through pinned memory and a stream", { ignore: !hasGcc }, async () => {
  const stub = await compileStub(new URL("../cuda/stub_cudart.c", import.meta.url), "libcudart_stub.so");
  using files = new Files();
  const { ranges, size } = rangesOf([files.add("a", 7000, 1), files.add("b", 7000, 2)]);
  using cuda = new CudaRuntime(stub);
  using device = new CudaDevice(cuda);
  const { got, expected } = filled(device, size, ranges, { readers: 2, piece: 512 });
  deepEqual(got, expected);
});

Deno.test("a file that became shorter is named, with where it ends", () => {
  using files = new Files();
  const file = files.add("model.safetensors", 100, 1);
  using device = new CpuDevice();
  using memory = device.allocate(200);
  using fill = new FileFill(device, memory, [{ file, offset: 10, bytes: 150, to: 0 }]);
  throws(() => fill.wait(), (error: Error) => {
    ok(error instanceof InputError);
    ok(error.message.startsWith(`Cannot read ${file}: it ends at byte 100, weights go on to 160`), error.message);
    return true;
  });
  using missing = new FileFill(device, memory, [{ file: join(files.folder, "none"), offset: 0, bytes: 1, to: 0 }]);
  throws(() => missing.wait(), /^InputError: Cannot read .*none: .*No such file/);
});

Deno.test("a fill that nobody waits for is ended before its memory goes", () => {
  using files = new Files();
  const file = files.add("a", 100_000, 1);
  using device = new CpuDevice();
  using memory = device.allocate(100_000);
  using _ = new FileFill(device, memory, [{ file, offset: 0, bytes: 100_000, to: 0 }], { readers: 1, piece: 10 });
});

Deno.test("pieces are of ranges that follow each other, hold all of them, and none is too long", () => {
  const lengths = fc.array(fc.record({ gap: fc.nat(2), bytes: fc.nat(40) }), { maxLength: 12 });
  fc.assert(fc.property(lengths, fc.integer({ min: 1, max: 50 }), (made, most) => {
    let offset = 0, to = 0;
    const ranges = made.map(({ gap, bytes }, i) => {
      const range = { file: i < 6 ? "a" : "b", offset: offset + gap, bytes, to };
      offset = range.offset + bytes;
      to += bytes;
      return range;
    });
    const bytesOf = new Map<number, string>();
    const pieces = cutPieces(ranges, most);
    for (const { file, offset, bytes, parts } of pieces) {
      ok(0 < bytes && bytes <= most);
      let at = 0;
      for (const { from, to, bytes } of parts) {
        equal(from, at);
        for (let i = 0; i < bytes; i++) bytesOf.set(to + i, `${file} ${offset + from + i}`);
        at += bytes;
      }
      equal(at, bytes);
    }
    const wanted = ranges.flatMap(({ file, offset, bytes, to }) =>
      Array.from({ length: bytes }, (_, i) => [to + i, `${file} ${offset + i}`] as const)
    );
    deepEqual([...bytesOf].sort(([a], [b]) => a - b), wanted);
    // No more reads than runs and their lengths ask for
    let reads = 0, run = 0;
    ranges.filter(({ bytes }) => bytes > 0).forEach(({ file, offset, bytes }, i, all) => {
      const before = all[i - 1];
      const follows = before?.file === file && before.offset + before.bytes === offset;
      if (!follows) {
        reads += Math.ceil(run / most);
        run = 0;
      }
      run += bytes;
    });
    equal(pieces.length, reads + Math.ceil(run / most));
  }));
});
