/**
 * Verification passes on a GPU: whether each token's logits have the bits of single steps, and how long a pass takes
 * against a step. A program, since tests run without a GPU:
 *
 *     ORT_DISABLE_TELEMETRY=1 deno run -A tests/kernels/rows_cuda.ts [PART OF A CASE'S NAME]
 *
 * One line per case and size; ends with code 1 if any bits differ or a case fails. Weights of large shapes are random.
 */
import { tabulate } from "../../lib/cache/schedule.ts";
import type { Launch } from "../../lib/cuda/driver.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import type { Sequence } from "../../lib/engine/sequence.ts";
import { CudaLauncher, type KernelLauncher } from "../../lib/kernels/launcher.ts";
import { CudaRowKernels } from "../../lib/kernels/row_kernels.ts";
import { CudaStepKernels } from "../../lib/kernels/step_kernels.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { writeRandomModel } from "../../lib/model/random_model.ts";
import { SHAPES } from "../../lib/model/shapes.ts";
import type { CudaDevice } from "../../lib/ort/cuda_device.ts";
import { methods } from "../../lib/policies/registry.ts";
import { median } from "../../lib/report/results/stats.ts";
import type { FloatType } from "../../lib/util/dtype.ts";
import { embeddedModel } from "../parity/golden.ts";

/** Sizes of passes that are compared and timed. */
const SIZES = [2, 3, 4, 5, 8, 9, 12, 16];
/** Repetitions of a timing, and passes of each. */
const ROUNDS = 7, PASSES = 24;

interface Case {
  readonly name: string;
  readonly dtype: FloatType;
  readonly model: () => ModelFolder;
  /** Entries at which passes begin; the first one is timed. */
  readonly entries: readonly number[];
  readonly sizes: readonly number[];
  /** Whether to time passes without some of their kernels. */
  readonly parts?: boolean;
}

const folder = Deno.makeTempDirSync({ prefix: "kvcompress_rows_" });
const made = new Map<string, string>();
/** A folder with random weights of a shape. */
function random(shape: string, dtype: FloatType): ModelFolder {
  const name = `${shape}.${dtype}`;
  if (!made.has(name)) {
    const path = `${folder}/${name}`;
    writeRandomModel(SHAPES[shape]!, path, dtype);
    made.set(name, path);
  }
  return openModelFolder(made.get(name)!);
}
function forget(shape: string, dtype: FloatType): void {
  const path = made.get(`${shape}.${dtype}`);
  if (path) Deno.removeSync(path, { recursive: true });
  made.delete(`${shape}.${dtype}`);
}

const shapes = (["pythia-2.8b", "llama-3.2-1b"] as const).flatMap((shape) =>
  (["float16", "bfloat16"] as const).map((dtype): Case => ({
    name: shape,
    dtype,
    model: () => random(shape, dtype),
    // The last ones cross an edge of attention's chunks, of 128 and of 256 entries.
    entries: [2000, 2040],
    sizes: SIZES,
    parts: dtype === "float16",
  }))
);
const embedded = (["float16", "bfloat16", "float32"] as const).map((dtype): Case => ({
  name: "novel-neox-8m",
  dtype,
  model: embeddedModel,
  entries: [250, 120, 3],
  sizes: SIZES,
}));

/** Leaves out kernels, to see what the others take. Results are wrong. */
class Without implements KernelLauncher {
  readonly multiprocessors: number;
  readonly sharedMemory: number;
  constructor(readonly all: KernelLauncher, readonly left: RegExp) {
    this.multiprocessors = all.multiprocessors;
    this.sharedMemory = all.sharedMemory;
  }
  launch(name: string, launch: Launch): void {
    if (!this.left.test(name)) this.all.launch(name, launch);
  }
  [Symbol.dispose](): void {
    this.all[Symbol.dispose]();
  }
}

const runtime = openRuntime("cuda");
let failed = 0;

/** What differs from the engine that users get. */
interface Changed {
  /** Kernels to leave out. */
  readonly left?: RegExp;
  /** Rows of a matrix that a warp computes. */
  readonly aWarp?: number;
}

function engineFor(model: ModelFolder, dtype: FloatType, positions: number, changed?: Changed): Engine {
  const device = runtime.device as CudaDevice;
  const launcher = (dtype: FloatType) => {
    const all = new CudaLauncher(dtype, "rows");
    return changed?.left ? new Without(all, changed.left) : all;
  };
  const kernels: Partial<EngineOptions> = changed
    ? {
      kernels: (dtype) => new CudaStepKernels(device, dtype),
      rowKernels: (dtype) => new CudaRowKernels(device, dtype, launcher(dtype), changed.aWarp),
    }
    : { kernels: "own" };
  return new Engine(runtime, model, {
    dtype,
    attention: dtype === "float32" ? "explicit" : "fused",
    maxPositions: positions,
    table: tabulate(methods.baseline(), model.spec, [], [[{ tokens: positions, times: 1 }]]),
    logits: "last",
    verifies: true,
    ...kernels,
  });
}

const idsFor = (count: number, vocab: number) =>
  Array.from({ length: count }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) % vocab);

/** Starts a sequence whose cache holds the first ids. */
function filled(engine: Engine, ids: readonly number[], entries: number, sizes: readonly number[]): Sequence {
  const sequence = engine.sequence(
    [{ tokens: entries, times: 1 }, { tokens: 1, times: ids.length - entries }],
    0,
    sizes,
  );
  sequence.forward(ids.slice(0, entries), 0);
  sequence.evict();
  sequence.read();
  return sequence;
}

function step(sequence: Sequence, id: number): void {
  sequence.forward([id], 0);
  sequence.evict();
}

/** Compares the logits of passes of several tokens with those of steps. Returns how many numbers differ, by size. */
function differing(sequence: Sequence, ids: readonly number[], at: number, sizes: readonly number[]): number[] {
  const { verification } = sequence, most = Math.max(...sizes), expected: Uint32Array[] = [];
  for (const id of ids.slice(at, at + most)) {
    step(sequence, id);
    sequence.read();
    expected.push(new Uint32Array(sequence.logits().buffer));
  }
  sequence.rewind(most);
  return sizes.map((tokens) => {
    verification.run(ids.slice(at, at + tokens));
    const logits = new Uint32Array(verification.logits().buffer), vocab = logits.length / tokens;
    const argmaxes = verification.argmaxes();
    verification.accept(0);
    let wrong = 0;
    for (let i = 0; i < logits.length; i++) if (logits[i] !== expected[Math.floor(i / vocab)]![i % vocab]) wrong++;
    const most = expected.slice(0, tokens).map((bits) => {
      const row = new Float32Array(bits.buffer);
      return row.reduce((best, x, i) => x > row[best]! ? i : best, 0);
    });
    return wrong + argmaxes.filter((id, i) => id !== most[i]).length;
  });
}

/** Median times of a step and of passes of several tokens, ms, measured in turn. */
function times(sequence: Sequence, ids: readonly number[], at: number, sizes: readonly number[]): number[] {
  const { device } = runtime, { verification } = sequence;
  const works = [
    () => {
      step(sequence, ids[at]!);
      sequence.rewind(1);
    },
    ...sizes.map((tokens) => () => {
      verification.run(ids.slice(at, at + tokens));
      verification.accept(0);
    }),
  ];
  const taken = works.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    works.forEach((work, i) => {
      work();
      device.synchronize();
      const start = performance.now();
      for (let pass = 0; pass < PASSES; pass++) work();
      device.synchronize();
      if (round > 0) taken[i]!.push((performance.now() - start) / PASSES);
    });
  }
  return taken.map((times) => median(times));
}

function run({ name, dtype, model: open, entries, sizes, parts = false }: Case): void {
  const model = open(), most = Math.max(...entries), positions = most + 2 * Math.max(...sizes) + 2;
  const ids = idsFor(positions, model.spec.vocab), label = `${name} ${dtype}`;
  const [first] = entries as [number];
  {
    using engine = engineFor(model, dtype, positions);
    if (engine.kernels.kernels !== "own") throw new Error(`no own kernels: ${engine.kernels.kernels_reason}`);
    const wrong = sizes.map(() => [] as number[]);
    let ms: number[] = [];
    for (const at of entries) {
      using sequence = filled(engine, ids, at, sizes);
      differing(sequence, ids, at, sizes).forEach((count, i) => wrong[i]!.push(count));
      if (at === first) ms = times(sequence, ids, at, sizes);
    }
    console.log(`${label}  step ${ms[0]!.toFixed(3)} ms at ${first} entries`);
    sizes.forEach((tokens, i) => {
      const bad = wrong[i]!.some((count) => count > 0);
      if (bad) failed++;
      const counts = bad
        ? ` (${wrong[i]!.join(", ")} of ${tokens * model.spec.vocab} numbers at ${entries.join(", ")})`
        : "";
      const time = ms[i + 1]!;
      console.log(
        `${label}  M ${String(tokens).padStart(2)}  bits equal ${bad ? "NO" : "yes"}${counts}  ${time.toFixed(3)} ms  ${
          (time / ms[0]!).toFixed(3)
        } of a step`,
      );
    });
  }
  if (!parts) return;
  const timed = (changed: Changed, what: string, some: readonly number[]) => {
    using engine = engineFor(model, dtype, positions, changed);
    using sequence = filled(engine, ids, first, some);
    const wrong = changed.left ? [] : differing(sequence, ids, first, some);
    if (wrong.some((count) => count > 0)) failed++;
    const ms = times(sequence, ids, first, some).slice(1);
    const each = some.map((m, i) => `M ${m} ${ms[i]!.toFixed(3)}${wrong[i] ? " (bits differ)" : ""}`);
    console.log(`${label}  ${what}: ${each.join(", ")} ms`);
  };
  for (const left of [/rows_norm/, /rows_attend/, /rows_linear/]) {
    timed({ left }, `without ${left.source}`, [2, 4, 8, 16]);
  }
  for (const aWarp of [2, 4, 5]) timed({ aWarp }, `${aWarp} rows a warp`, [4, 8, 16]);
}

try {
  for (const each of [...embedded, ...shapes]) {
    if (!`${each.name} ${each.dtype}`.includes(Deno.args[0] ?? "")) continue;
    const start = performance.now();
    try {
      run(each);
    } catch (error) {
      failed++;
      console.log(
        `${each.name} ${each.dtype}  FAILED: ${error instanceof Error ? error.stack ?? error.message : error}`,
      );
    }
    forget(each.name, each.dtype);
    console.log(`${each.name} ${each.dtype}  took ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}
console.log(failed === 0 ? "all bits equal" : `${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
