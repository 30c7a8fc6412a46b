import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { CpuDevice } from "../../lib/ort/cpu_device.ts";

Deno.test("CpuDevice gives zeroed memory on a cache line, and counts it", () => {
  using device = new CpuDevice();
  const sizes = [0, 1, 3, 64, 1000, 4096];
  const blocks = sizes.map((bytes) => device.allocate(bytes));
  equal(device.allocated, sizes.reduce((a, b) => a + b));
  for (const [i, block] of blocks.entries()) {
    equal(block.bytes, sizes[i]);
    equal(Deno.UnsafePointer.value(block.pointer) % 64n, 0n);
    const bytes = new Uint8Array(block.bytes).fill(1);
    device.read(block, 0, bytes);
    ok(bytes.every((byte) => byte === 0));
  }
  for (const block of [...blocks, ...blocks]) block[Symbol.dispose](); // twice is once
  equal(device.allocated, 0);
});

Deno.test("CpuDevice copies what C code sees, within bounds", () => {
  using device = new CpuDevice();
  using memory = device.allocate(12);
  device.write(memory, 4, Int32Array.of(7, 8));
  equal(new Deno.UnsafePointerView(memory.pointer).getInt32(8), 8);
  const part = new Uint8Array(12);
  device.read(memory, 4, part.subarray(2, 6));
  deepEqual([...part], [0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const four = new Uint8Array(4);
  for (const offset of [-1, 9, 0.5, NaN]) {
    throws(() => device.write(memory, offset, four), RangeError);
    throws(() => device.read(memory, offset, four), RangeError);
  }
  device.zero(memory);
  equal(new Deno.UnsafePointerView(memory.pointer).getInt32(8), 0);
});

Deno.test("CpuDevice refuses invalid sizes, and more memory than the host has", () => {
  using device = new CpuDevice();
  for (const bytes of [-1, 0.5, NaN, Infinity, 2 ** 52]) {
    throws(() => device.allocate(bytes), (error: unknown) => {
      return error instanceof RangeError && error.message.startsWith("Cannot allocate ");
    });
  }
  equal(device.allocated, 0);
});

Deno.test("CpuDevice refuses memory that was freed, and another device's", () => {
  using device = new CpuDevice();
  using other = new CpuDevice();
  const memory = device.allocate(4);
  throws(() => other.zero(memory), TypeError);
  memory[Symbol.dispose]();
  throws(() => device.write(memory, 0, new Uint8Array(4)), TypeError);
  throws(() => device.read(memory, 0, new Uint8Array(4)), TypeError);
});

Deno.test("memory stays where it is, and what nobody holds is released, while garbage is collected", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--expose-gc", new URL("_collect.ts", import.meta.url).pathname],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  equal(code, 0, text.decode(stderr));
  equal(text.decode(stdout), "ok\n");
});
