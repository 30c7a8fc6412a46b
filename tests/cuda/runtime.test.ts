import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { CudaError, OutOfMemoryError } from "../../lib/cuda/errors.ts";
import { CudaRuntime } from "../../lib/cuda/runtime.ts";
import { compileStub, hasGcc } from "./compile_stub.ts";

// Not under its real soname: the loader would give it to every library in this process that asks for the real one
const source = new URL("./stub_cudart.c", import.meta.url);
const stub = hasGcc ? await compileStub(source, "libcudart_stub.so") : "";
const ignore = !hasGcc;

Deno.test("CudaRuntime copies to the GPU, on it and back, in a stream and without", { ignore }, () => {
  using cuda = new CudaRuntime(stub);
  using stream = cuda.createStream();
  using a = cuda.malloc(64);
  using b = cuda.malloc(64);
  const sent = Float32Array.from({ length: 16 }, (_, i) => i / 3);
  for (const s of [stream, undefined]) {
    cuda.memset(a.pointer, 0, 64, s);
    cuda.copyToDevice(a.pointer, sent, s);
    cuda.copyOnDevice(b.pointer, a.pointer, 64, s);
    const back = new Float32Array(16);
    cuda.copyToHost(back, b.pointer, s);
    stream.synchronize();
    deepEqual(back, sent);
  }
  cuda.copyToDevice(b.at(4), new Float32Array([7, 8]));
  const part = new Float32Array(2);
  cuda.copyToHost(part, b.at(4));
  deepEqual([...part], [7, 8]);
  throws(() => b.at(64), RangeError);
  cuda.synchronize();
});

Deno.test("CudaRuntime copies through pinned memory", { ignore }, () => {
  using cuda = new CudaRuntime(stub);
  using stream = cuda.createStream();
  using pinned = cuda.mallocHost(16);
  using memory = cuda.malloc(16);
  new Int32Array(pinned.buffer).set([1, 2, 3, 4]);
  cuda.copyToDevice(memory.pointer, pinned, stream);
  new Int32Array(pinned.buffer).fill(0);
  cuda.copyToHost(pinned, memory.pointer);
  deepEqual([...new Int32Array(pinned.buffer)], [1, 2, 3, 4]);
});

Deno.test("CudaRuntime has a context made in another thread", { ignore }, async () => {
  using cuda = new CudaRuntime(stub);
  const begun = cuda.beginContext(0);
  cuda.setDevice(0);
  await begun;
  await cuda.beginContext(7); // no such GPU: setDevice says so
  throws(() => cuda.setDevice(7), CudaError);
});

Deno.test("CudaRuntime gives memory back when it is disposed, once", { ignore }, () => {
  using cuda = new CudaRuntime(stub);
  const before = cuda.memoryInfo();
  equal(before.total, 2 ** 20);
  const buffer = cuda.malloc(1000);
  equal(cuda.memoryInfo().free, before.free - 1000);
  buffer[Symbol.dispose]();
  buffer[Symbol.dispose]();
  equal(cuda.memoryInfo().free, before.free);
});

Deno.test("CudaRuntime tells out of memory from other errors, and makes CUDA forget both", { ignore }, () => {
  using cuda = new CudaRuntime(stub);
  using _ = cuda.malloc(2 ** 19);
  throws(() => cuda.malloc(2 ** 20), (error: unknown) => {
    ok(error instanceof OutOfMemoryError);
    deepEqual([error.bytesAsked, error.bytesFree, error.bytesTotal], [2 ** 20, 2 ** 19, 2 ** 20]);
    return true;
  });
  equal(cuda.c.cudaGetLastError(), 0);
  throws(() => cuda.setDevice(3), (error: unknown) => {
    ok(error instanceof CudaError);
    equal(error.message, "Cannot do cudaSetDevice: invalid argument (cudaErrorInvalidValue, 1)");
    equal(error.code, 1);
    return true;
  });
  equal(cuda.c.cudaGetLastError(), 0);
  throws(() => cuda.malloc(0), RangeError);
});

Deno.test("CudaRuntime knows versions, devices and PCI bus ids", { ignore }, () => {
  using cuda = new CudaRuntime(stub);
  deepEqual([cuda.version, cuda.driverVersion, cuda.deviceCount], [13000, 13010, 1]);
  cuda.setDevice(0);
  equal(cuda.pciBusId(0), "0000:04:00.0");
});

Deno.test("CudaEvent measures time in seconds", { ignore }, async () => {
  using cuda = new CudaRuntime(stub);
  using start = cuda.createEvent();
  using end = cuda.createEvent();
  throws(() => end.synchronize(), CudaError);
  start.record();
  await new Promise((done) => setTimeout(done, 20));
  end.record();
  end.synchronize();
  const seconds = end.secondsSince(start);
  ok(seconds > 0.015 && seconds < 1, `${seconds}`);
});

Deno.test("CudaRuntime explains a driver that is too old and a machine without a GPU", { ignore }, async () => {
  for (
    const [code, text] of [["35", /driver is missing or too old.*CUDA 13 needs 580/], [
      "100",
      /no GPU is visible/,
    ]] as const
  ) {
    using cuda = new CudaRuntime(await compileStub(source, "libcudart_stub.so", { DEVICE_ERROR: code }));
    throws(() => cuda.deviceCount, (error: unknown) => {
      ok(error instanceof InputError && error.cause instanceof CudaError);
      match(error.message, text);
      return true;
    });
  }
});

Deno.test("CudaRuntime names the library it cannot open", () => {
  throws(() => new CudaRuntime("/no/such/libcudart.so.13"), (error: unknown) => {
    ok(error instanceof InputError);
    match(error.message, /Cannot open the CUDA runtime at \/no\/such/);
    return true;
  });
});
