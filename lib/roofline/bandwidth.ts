import type { DType } from "../util/dtype.ts";
import { Graph, type Tensor } from "../onnx/graph.ts";
import { Binding } from "../ort/binding.ts";
import { CudaDevice } from "../ort/cuda_device.ts";
import type { DeviceMemory } from "../ort/device.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session } from "../ort/session.ts";
import { Value } from "../ort/value.ts";
import { median } from "../report/results/stats.ts";
import type { Bandwidth } from "./protocol.ts";

/**
 * Bytes of the buffer: many times the last-level cache, which is about 50 MB on a GPU and a few to a few hundred MB on
 * a CPU.
 */
const BUFFER = { cuda: 2 ** 31, cpu: 2 ** 29 };
/** Numbers per row. */
const WIDTH = 8192;
/** Timed rounds, after one that is not timed, and passes per round. */
const ROUNDS = 7;
const PASSES = { cuda: 10, cpu: 1 };
/** Bytes written at once when the buffer is filled. */
const PIECE = 2 ** 26;

/** A way to read the whole buffer as `[rows, WIDTH]`: a graph from `x` to `y`. */
interface Way {
  readonly method: string;
  readonly emit: (g: Graph, x: Tensor, dtype: DType, rows: number) => void;
  /** Shape of `y`. */
  readonly output: (rows: number) => readonly number[];
}

/**
 * Measures how fast this device reads memory. ONNX Runtime reads a buffer many times as large as the caches from end to
 * end: as a matrix times a vector (what a step does with every weight) and as sums of its rows. On CUDA the buffer is
 * also copied within the GPU, with reads and writes counted. Each way gives its median over the rounds. The best way is
 * the result, since a floor must be reachable. On CUDA passes are replayed as a graph and queued one after another, so
 * that launching costs nothing; on a CPU all threads take part.
 *
 * Two things stay unknown: which part of the buffer the last-level cache still holds from the pass before (about 2 %),
 * and whether another kernel would read faster. The result is what is reached, and lies below the data sheet's figure.
 *
 * @example
 * ```ts
 * import { openRuntime } from "../engine/open_runtime.ts";
 * import { measureBandwidth } from "./bandwidth.ts";
 *
 * const { bytes_per_s, method } = measureBandwidth(openRuntime("cpu"), 2 ** 22);
 * console.log(bytes_per_s > 0, method); // true "matrix times vector" or "sums of rows"
 * ```
 *
 * @param runtime ONNX Runtime and the device.
 * @param wanted Bytes of the buffer; if left out, 2 GiB or a quarter of the free memory on CUDA, 512 MiB on a CPU.
 * @returns Bytes per second, and everything that was measured.
 * @throws {Error} If memory is too small or no way works; the message gives the reason.
 */
export function measureBandwidth(runtime: Runtime, wanted?: number): Bandwidth {
  const { device } = runtime;
  const dtype = device.kind === "cuda" ? "float16" : "float32";
  const rowBytes = WIDTH * (dtype === "float16" ? 2 : 4);
  const most = device instanceof CudaDevice ? device.cuda.memoryInfo().free / 4 : Infinity;
  const rows = Math.max(1, Math.floor(Math.min(wanted ?? BUFFER[device.kind], most) / rowBytes));
  const bytes = rows * rowBytes;
  using buffer = device.allocate(bytes);
  fill(runtime, buffer, dtype);
  const ways = [
    ...WAYS.map((way) => attempt(way.method, () => read(runtime, buffer, way, dtype, rows))),
    ...(device instanceof CudaDevice ? [attempt("copy, read and write", () => copy(device, buffer))] : []),
  ];
  const best = ways.filter(({ rounds }) => rounds.length > 0).sort((a, b) => median(b.rounds) - median(a.rounds))[0];
  if (best === undefined) throw new Error(`Cannot measure how fast memory is read: ${ways[0]!.failed}`);
  return { bytes_per_s: median(best.rounds), method: best.method, buffer_bytes: bytes, ways };
}

const WAYS: readonly Way[] = [
  {
    method: "matrix times vector",
    emit: (g, x, dtype, rows) => {
      const ones = dtype === "float16" ? new Float16Array(WIDTH).fill(0.01) : new Float32Array(WIDTH).fill(0.01);
      const vector = g.constant(dtype, [1, WIDTH], ones);
      g.output("y", g.op("FusedMatMul", [vector, x], { transB: 1 }, "com.microsoft"), dtype, [1, rows]);
    },
    output: (rows) => [1, rows],
  },
  {
    method: "sums of rows",
    emit: (g, x, dtype, rows) => g.output("y", g.op("ReduceSum", [x, g.ints(1)], { keepdims: 1 }), dtype, [rows, 1]),
    output: (rows) => [rows, 1],
  },
];

function attempt(method: string, measure: () => number[]): Bandwidth["ways"][number] {
  try {
    return { method, rounds: measure() };
  } catch (error) {
    return { method, rounds: [], failed: (error as Error).message.split("\n")[0]! };
  }
}

/** Fills the buffer with numbers, not zeros: pages that nothing was written to are all mapped to one page. */
function fill({ device }: Runtime, buffer: DeviceMemory, dtype: "float16" | "float32"): void {
  const numbers = Array.from({ length: 2 ** 16 }, () => Math.random() - 0.5);
  const small = dtype === "float16" ? Float16Array.from(numbers) : Float32Array.from(numbers);
  const piece = new Uint8Array(Math.min(PIECE, buffer.bytes));
  for (let at = 0; at < piece.length; at += small.byteLength) {
    piece.set(new Uint8Array(small.buffer, 0, Math.min(small.byteLength, piece.length - at)), at);
  }
  for (let at = 0; at < buffer.bytes; at += piece.length) {
    device.write(buffer, at, piece.subarray(0, Math.min(piece.length, buffer.bytes - at)));
  }
  device.synchronize();
}

/** Bytes per second of each round of passes over the buffer. */
function read(
  { ort, device }: Runtime,
  buffer: DeviceMemory,
  { emit, output }: Way,
  dtype: "float16" | "float32",
  rows: number,
): number[] {
  const g = new Graph("read");
  emit(g, g.input("x", dtype, [rows, WIDTH]), dtype, rows);
  using session = new Session(ort, device, g.encode(), { cudaGraph: true });
  using result = device.allocate(4 * rows);
  using binding = new Binding(
    session,
    {
      x: Value.of(ort, device, buffer, dtype, [rows, WIDTH]),
    },
    { y: Value.of(ort, device, result, dtype, output(rows)) },
    session.capturable,
  );
  return timed(() => binding.run(), () => device.synchronize(), PASSES[device.kind], buffer.bytes);
}

/** Bytes per second of each round of copying the first half over the second: every byte is read or written once. */
function copy(device: CudaDevice, buffer: DeviceMemory): number[] {
  const half = buffer.bytes / 2;
  const second = Deno.UnsafePointer.offset(buffer.pointer, half)!;
  // Runs in the default stream; waits for the whole GPU.
  return timed(
    () => device.cuda.copyOnDevice(second, buffer.pointer, half),
    () => device.cuda.synchronize(),
    PASSES.cuda,
    buffer.bytes,
  );
}

function timed(pass: () => void, wait: () => void, passes: number, bytes: number): number[] {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    wait();
    const start = performance.now();
    for (let i = 0; i < passes; i++) pass();
    wait();
    // The first pass also loads kernels, captures the graph and touches memory for the first time.
    if (round > 0) rounds.push(passes * bytes / ((performance.now() - start) / 1000));
  }
  return rounds;
}
