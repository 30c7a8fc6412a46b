import type { Launch } from "../cuda/driver.ts";
import type { Device } from "../ort/device.ts";
import { DTYPES, type FloatType } from "../util/dtype.ts";
import {
  ARGMAX_FIELDS,
  ATTEND_THREADS,
  COLUMNS_PER_BLOCK,
  LINE_GAP,
  LINEAR_THREADS,
  LOAD_BYTES,
  PAIRS_PER_SUM,
  PARTIAL_FIELDS,
  QUERIES_PER_PASS,
  ROWS_THREADS,
  WARP,
} from "./constants.ts";
import type { RowKernels, RowsAttendCall } from "./kernels.ts";
import { chunkOf, CudaLauncher, type KernelLauncher, Scratch } from "./launcher.ts";
import { type ArgmaxArguments, argmaxBytes, rowsAttendBytes, rowsLinearBytes } from "./row_structs.ts";
import { type EmbedArguments, embedBytes, linearBytes, type LinearSegment } from "./structs.ts";

/** Most tokens of a pass. */
export const MOST_TOKENS = 16;
/** Tokens M that there is a `rows_linear_M_R` for, and R: the rows of a matrix that a warp computes. */
const LINEAR_VARIANTS: Readonly<Record<number, readonly number[]>> = {
  2: [1],
  4: [2, 4, 5],
  8: [2, 4, 5],
  12: [4, 5],
  16: [4, 5],
};
const LINEAR_TOKENS = Object.keys(LINEAR_VARIANTS).map(Number);
/** Tokens that a block of `rows_columns_M` takes. */
const COLUMN_TOKENS = 8;
/** Pairs of a query and a token that there is a `rows_attend_P` for. */
const ATTEND_VARIANTS = [2, 4, 8];
/** Names of all kernels. */
export const ROW_KERNELS: readonly string[] = [
  ...["rows_embed", "rows_norm", "rows_argmax", `rows_columns_${COLUMN_TOKENS}`],
  ...LINEAR_TOKENS.flatMap((tokens) => LINEAR_VARIANTS[tokens]!.map((rows) => `rows_linear_${tokens}_${rows}`)),
  ...ATTEND_VARIANTS.map((pairs) => `rows_attend_${pairs}`),
];
/** Threads per block of the kernels that take any number, and blocks that look for the largest logit. */
const EMBED_THREADS = 256, ARGMAX_THREADS = 256, ARGMAX_BLOCKS = 32;

/**
 * The kernels of a pass of up to {@linkcode MOST_TOKENS} tokens (cuda/rows.cu) on a GPU, for tensors of one type. Each
 * call queues its kernels in the device's stream. Run a pass once before capturing it: memory is allocated on first use.
 */
export class CudaRowKernels implements RowKernels {
  readonly #scratch: Scratch;

  /**
   * @param launcher What launches them; by default they are compiled for the current GPU.
   * @param forced Rows of a matrix that a warp computes, where there is such a variant; otherwise {@linkcode rowsAWarp}
   * decides. Results are the same: tests and measurements compare the variants.
   */
  constructor(
    readonly device: Device,
    readonly dtype: FloatType,
    readonly launcher: KernelLauncher = new CudaLauncher(dtype, "rows"),
    readonly forced?: number,
  ) {
    this.#scratch = new Scratch(device);
  }

  linear(tokens: number, segments: readonly LinearSegment[]): void {
    const transposed = segments[0]!.products[0].transposed ?? false;
    const variant = variantFor(LINEAR_TOKENS, tokens);
    const aWarp = LINEAR_VARIANTS[variant]!.find((rows) => rows === this.forced) ??
      rowsAWarp(tokens);
    const perBlock = transposed ? COLUMNS_PER_BLOCK : ROWS_THREADS / WARP * aWarp;
    let blocks = 0;
    const first = segments.map(({ rows, products: [a] }) => {
      if ((a.transposed ?? false) !== transposed) {
        throw new TypeError("Cannot mix transposed and other matrices in a launch");
      }
      const at = blocks;
      blocks += Math.ceil(rows / perBlock);
      return at;
    });
    const argument = rowsLinearBytes(this.#normalized(tokens, segments), first, tokens);
    if (transposed) {
      const grid: Launch["grid"] = [blocks, Math.ceil(tokens / COLUMN_TOKENS)];
      const shared = 4 * LINEAR_THREADS * LOAD_BYTES / this.#element;
      this.#launch(`rows_columns_${COLUMN_TOKENS}`, grid, LINEAR_THREADS, argument, shared);
    } else {
      this.#launch(`rows_linear_${variant}_${aWarp}`, [blocks], ROWS_THREADS, argument);
    }
  }

  /** Normalizes the inputs of segments that ask for it. Segments with the same input and norm share the result. */
  #normalized(tokens: number, segments: readonly LinearSegment[]): LinearSegment[] {
    const made = new Map<string, LinearSegment>();
    const keyOf = ({ norm, products: [{ input }] }: LinearSegment) =>
      [input, norm!.scale ?? null, norm!.shift ?? null].map((at) => Deno.UnsafePointer.value(at)).join();
    for (const segment of segments) {
      if (!segment.norm || made.has(keyOf(segment))) continue;
      const { products: [{ input, width }], norm } = segment;
      const out = this.#scratch.take(`normalized ${made.size}`, MOST_TOKENS * width * this.#element);
      made.set(keyOf(segment), { rows: width, products: [{ weight: null, input, width }], norm, out });
    }
    if (made.size > 0) {
      const all = [...made.values()], width = Math.max(...all.map(({ rows }) => rows));
      const argument = linearBytes(all, all.map(() => 0));
      this.#launch("rows_norm", [tokens, all.length], LINEAR_THREADS, argument, width * this.#element);
    }
    return segments.map((segment) => {
      if (!segment.norm) return segment;
      const { products: [first, second], combine, norm: _, ...rest } = segment;
      const input = made.get(keyOf(segment))!.out;
      const more = second && (combine === "gated" ? { ...second, input } : second);
      return { ...rest, combine, products: more ? [{ ...first, input }, more] : [{ ...first, input }] };
    });
  }

  attend(tokens: number, a: RowsAttendCall): void {
    const group = a.heads / a.kvHeads;
    const chunk = chunkOf(a, this.launcher.multiprocessors), chunks = Math.ceil(a.capacity / chunk);
    const sharedFor = (queries: number) => {
      const pairs = queries * tokens;
      const sums = Math.min(pairs, PAIRS_PER_SUM) * ATTEND_THREADS * LOAD_BYTES / this.#element;
      return 4 * (pairs * (a.headDim + chunk + LINE_GAP + PARTIAL_FIELDS) + sums);
    };
    const most = Math.min(group, QUERIES_PER_PASS);
    const queries = sharedFor(most) + STATIC_SHARED > this.launcher.sharedMemory ? 1 : most;
    const argument = rowsAttendBytes({
      ...a,
      chunk,
      queries,
      tokens,
      partial: this.#scratch.take("partial", 4 * a.heads * MOST_TOKENS * chunks * (a.headDim + PARTIAL_FIELDS)),
      scores: null,
      counters: this.#scratch.take("counters", 4 * a.heads),
    });
    const kernel = `rows_attend_${variantFor(ATTEND_VARIANTS, queries * tokens)}`;
    const grid: Launch["grid"] = [a.kvHeads, chunks, Math.ceil(group / queries)];
    this.#launch(kernel, grid, ATTEND_THREADS, argument, sharedFor(queries));
  }

  embed(tokens: number, a: EmbedArguments): void {
    this.#launch("rows_embed", [Math.ceil(a.hidden / EMBED_THREADS), tokens], EMBED_THREADS, embedBytes(a));
  }

  argmax(tokens: number, a: Omit<ArgmaxArguments, "partial" | "counters">): void {
    const partial = this.#scratch.take("argmax", 4 * MOST_TOKENS * ARGMAX_BLOCKS * ARGMAX_FIELDS);
    const counters = this.#scratch.take("argmaxes", 4 * MOST_TOKENS);
    const argument = argmaxBytes({ ...a, partial, counters });
    this.#launch("rows_argmax", [ARGMAX_BLOCKS, tokens], ARGMAX_THREADS, argument);
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

/** Most static shared memory of a kernel, bytes. */
const STATIC_SHARED = 1024;

/**
 * Returns how many rows of its matrices a warp of `rows_linear_M_R` computes. More share an input's load and conversion,
 * but leave fewer warps to wait for memory. On an H100, for two models' shapes, 2 rows take least time up to 8 tokens and
 * 5 with 16 (docs/engine-log.md, entry 15).
 *
 * @example
 * ```ts
 * import { rowsAWarp } from "./row_kernels.ts";
 *
 * console.log(rowsAWarp(4), rowsAWarp(16)); // 2 5
 * ```
 *
 * @param tokens Tokens of the pass.
 * @returns Rows.
 */
export function rowsAWarp(tokens: number): number {
  const variants = LINEAR_VARIANTS[variantFor(LINEAR_TOKENS, tokens)]!;
  return tokens <= 8 ? variants[0]! : variants.at(-1)!;
}

/** The smallest variant that takes so many; otherwise the largest. */
function variantFor(variants: readonly number[], count: number): number {
  return variants.find((variant) => variant >= count) ?? variants.at(-1)!;
}
