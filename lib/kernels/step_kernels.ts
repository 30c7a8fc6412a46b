import { gunzipSync } from "node:zlib";
import { CudaDriver, type CudaModule, type Launch } from "../cuda/driver.ts";
import { DTYPES, type FloatType } from "../util/dtype.ts";
import { InputError } from "../util/errors.ts";
import type { CudaDevice } from "../ort/cuda_device.ts";
import type { DeviceMemory } from "../ort/device.ts";
import {
  ATTEND_THREADS,
  CHOICE_FIELDS,
  COLUMNS_PER_BLOCK,
  DROP_THREADS,
  HEADS_THREADS,
  LINEAR_THREADS,
  LOAD_BYTES,
  PARTIAL_FIELDS,
  QUERIES_PER_PASS,
  ROWS_PER_BLOCK,
  WARP,
} from "./constants.ts";
import type { AttendCall, StepKernels } from "./kernels.ts";
import { ptxPath } from "./ptx_files.ts";
import { attendBytes, type ChooseArguments, chooseBytes, type DropArguments, dropBytes } from "./structs.ts";
import { type EmbedArguments, embedBytes, type HeadsArguments, headsBytes } from "./structs.ts";
import { linearBytes, type LinearSegment } from "./structs.ts";

/** Threads per block of the kernels that take any number. */
const EMBED_THREADS = 256, CHOOSE_THREADS = 256;
/** Blocks that look for the largest logit. */
const CHOOSE_BLOCKS = 32;
/** Most static shared memory of a kernel, bytes. */
const STATIC_SHARED = 1024;
/**
 * The kernels of one decode step (cuda/step.cu) on a GPU, for tensors of one type. Sums are in float32 for every type.
 *
 * Each call queues one kernel in the device's stream. Memory that the blocks of a kernel share is allocated on first
 * use: run a step once before capturing it.
 */
export class CudaStepKernels implements StepKernels {
  readonly #module: CudaModule;
  readonly #driver: CudaDriver;
  readonly #scratch = new Map<string, DeviceMemory>();
  /** Memory that a larger block has replaced; graphs captured before still use it. */
  readonly #outgrown: DeviceMemory[] = [];

  /**
   * Compiles the kernels for the GPU.
   *
   * @throws {InputError} If the driver is missing.
   * @throws {CudaError} If the driver cannot compile them.
   */
  constructor(readonly device: CudaDevice, readonly dtype: FloatType) {
    this.#driver = new CudaDriver();
    const target = this.#driver.capability.major >= 9 ? 90 : 80;
    this.#module = this.#driver.load(new TextDecoder().decode(gunzipSync(Deno.readFileSync(ptxPath(dtype, target)))));
  }

  /** Computes matrix products of one vector each, for all rows of a matrix. */
  linear(segments: readonly LinearSegment[]): void {
    const transposed = segments[0]!.products[0].transposed ?? false;
    const perBlock = transposed ? COLUMNS_PER_BLOCK : ROWS_PER_BLOCK;
    let blocks = 0, width = 0;
    const first = segments.map(({ rows, products: [a, b], combine }) => {
      if ((a.transposed ?? false) !== transposed) {
        throw new TypeError("Cannot mix transposed and other matrices in a launch");
      }
      const at = blocks;
      blocks += Math.ceil(rows / perBlock);
      width = Math.max(width, a.width + (combine === "sum" ? b!.width : 0));
      return at;
    });
    const shared = width * this.#element + (transposed ? 4 * LINEAR_THREADS * LOAD_BYTES / this.#element : 0);
    const kernel = transposed ? "step_columns" : "step_linear";
    this.#launch(kernel, [blocks], LINEAR_THREADS, linearBytes(segments, first), shared);
  }

  /** Computes one token's attention over a layer's cache, and appends its key and value. */
  attend(a: AttendCall): void {
    const group = a.heads / a.kvHeads;
    // Only a block that has all queries of a KV head can compute their mean attention.
    const queries = a.observed ? group : Math.min(group, QUERIES_PER_PASS);
    const chunk = this.#chunk(a.kvHeads, a.capacity);
    const chunks = Math.ceil(a.capacity / chunk);
    const sums = Math.min(queries, QUERIES_PER_PASS) * ATTEND_THREADS * LOAD_BYTES / this.#element;
    const shared = 4 * (queries * (a.headDim + chunk + PARTIAL_FIELDS) + sums);
    this.#launch(
      "step_attend",
      [a.kvHeads, chunks, Math.ceil(group / queries)],
      ATTEND_THREADS,
      attendBytes({
        ...a,
        chunk,
        queries,
        partial: this.#memory("partial", 4 * a.heads * chunks * (a.headDim + PARTIAL_FIELDS)),
        scores: a.observed ? this.#memory("scores", 4 * a.heads * a.capacity) : null,
        counters: this.#memory("counters", 4 * a.heads),
      }),
      shared,
    );
  }

  /** Looks up the token's embedding. */
  embed(a: EmbedArguments): void {
    this.#launch("step_embed", [Math.ceil(a.hidden / EMBED_THREADS)], EMBED_THREADS, embedBytes(a));
  }

  /** Computes the negative log-likelihood of the target, nats, and the argmax. */
  choose(a: Omit<ChooseArguments, "partial" | "counter">): void {
    const partial = this.#memory("choice", 4 * CHOICE_FIELDS * CHOOSE_BLOCKS);
    const counter = this.#memory("choices", 4);
    this.#launch("step_choose", [CHOOSE_BLOCKS], CHOOSE_THREADS, chooseBytes({ ...a, partial, counter }));
  }

  /** Drops one entry of each row; the newest takes its slot. */
  drop(a: DropArguments): void {
    const { program: { depth, means }, width, headDim } = a;
    const vectors = means > 0 ? DROP_THREADS / WARP + means : 0;
    const shared = 4 * (width * (1 + depth) + vectors * headDim);
    if (shared + STATIC_SHARED > this.#driver.sharedMemory) {
      throw new InputError(
        `Cannot evict from ${width} entries per head with --kernels own: a block of this GPU has ${this.#driver.sharedMemory} bytes of shared memory, ${
          shared + STATIC_SHARED
        } are needed; --kernels ort takes any number`,
      );
    }
    const kernel = means > 0 ? "step_drop_mean" : "step_drop";
    this.#launch(kernel, [a.rows], DROP_THREADS, dropBytes(a), shared);
  }

  /** Computes queries, keys and values of a prompt's tokens: adds biases and rotates. */
  heads(a: HeadsArguments): void {
    const loads = (a.heads + 2 * a.kvHeads) * a.headDim * this.#element / LOAD_BYTES;
    this.#launch("step_heads", [a.tokens, Math.ceil(loads / HEADS_THREADS)], HEADS_THREADS, headsBytes(a));
  }

  /** Attention of the step's query to every slot of every row, float32 `[rows, width]`, for {@linkcode drop}. */
  observed(rows: number, width: number): Deno.PointerObject {
    return this.#memory("observed", 4 * rows * width);
  }

  get #element(): number {
    return DTYPES[this.dtype].bytes;
  }

  /** Returns the entries per block: few enough that all multiprocessors have work, within bounds. */
  #chunk(kvHeads: number, capacity: number): number {
    const fair = Math.ceil(capacity * kvHeads / this.#driver.multiprocessors / WARP) * WARP;
    return Math.min(256, Math.max(128, fair));
  }

  #launch(name: string, grid: Launch["grid"], threads: number, argument: Uint8Array<ArrayBuffer>, shared = 0): void {
    this.#module.kernel(name).launch({ grid, threads, shared, stream: this.device.stream, argument });
  }

  #memory(name: string, bytes: number): Deno.PointerObject {
    let memory = this.#scratch.get(name);
    if (!memory || memory.bytes < bytes) {
      if (memory) this.#outgrown.push(memory);
      this.#scratch.set(name, memory = this.device.allocate(bytes));
    }
    return memory.pointer;
  }

  [Symbol.dispose](): void {
    this.device.synchronize();
    for (const memory of [...this.#scratch.values(), ...this.#outgrown]) memory[Symbol.dispose]();
    this.#module[Symbol.dispose]();
    this.#driver[Symbol.dispose]();
  }
}
