import type { Launch } from "../cuda/driver.ts";
import type { Device } from "../ort/device.ts";
import { DTYPES, type FloatType } from "../util/dtype.ts";
import { InputError } from "../util/errors.ts";
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
import { chunkOf, CudaLauncher, type KernelLauncher, Scratch } from "./launcher.ts";
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
  readonly #scratch: Scratch;

  /**
   * Compiles the kernels for the GPU, unless something else launches them.
   *
   * @throws {InputError} If the driver is missing.
   * @throws {CudaError} If the driver cannot compile them.
   */
  constructor(
    readonly device: Device,
    readonly dtype: FloatType,
    readonly launcher: KernelLauncher = new CudaLauncher(dtype, "step"),
  ) {
    this.#scratch = new Scratch(device);
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
    const chunk = chunkOf(a, this.launcher.multiprocessors);
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
        partial: this.#scratch.take("partial", 4 * a.heads * chunks * (a.headDim + PARTIAL_FIELDS)),
        scores: a.observed ? this.#scratch.take("scores", 4 * a.heads * a.capacity) : null,
        counters: this.#scratch.take("counters", 4 * a.heads),
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
    const partial = this.#scratch.take("choice", 4 * CHOICE_FIELDS * CHOOSE_BLOCKS);
    const counter = this.#scratch.take("choices", 4);
    this.#launch("step_choose", [CHOOSE_BLOCKS], CHOOSE_THREADS, chooseBytes({ ...a, partial, counter }));
  }

  /** Drops one entry of each row; the newest takes its slot. */
  drop(a: DropArguments): void {
    const { program: { depth, means }, width, headDim } = a;
    const vectors = means > 0 ? DROP_THREADS / WARP + means : 0;
    const shared = 4 * (width * (1 + depth) + vectors * headDim);
    if (shared + STATIC_SHARED > this.launcher.sharedMemory) {
      throw new InputError(
        `Cannot evict from ${width} entries per head with --kernels own: a block of this GPU has ${this.launcher.sharedMemory} bytes of shared memory, ${
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
    return this.#scratch.take("observed", 4 * rows * width);
  }

  get #element(): number {
    return DTYPES[this.dtype].bytes;
  }

  #launch(name: string, grid: Launch["grid"], threads: number, argument: Uint8Array<ArrayBuffer>, shared = 0): void {
    this.launcher.launch(name, { grid, threads, shared, stream: this.device.stream, argument });
  }

  [Symbol.dispose](): void {
    this.device.synchronize();
    this.#scratch[Symbol.dispose]();
    this.launcher[Symbol.dispose]();
  }
}
