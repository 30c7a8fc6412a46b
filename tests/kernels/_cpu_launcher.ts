/** Runs the kernels' CUDA source on the CPU: compiled by g++, with a block's threads as fibers. */

import type { Launch } from "../../lib/cuda/driver.ts";
import { CUDA_FOLDER, cudaFiles } from "../../lib/kernels/cuda_source.ts";
import type { KernelLauncher } from "../../lib/kernels/launcher.ts";
import { COMPILER } from "../../lib/kernels/ptx_files.ts";
import type { FloatType } from "../../lib/util/dtype.ts";

const SYMBOLS = {
  // const char* name, const void* argument, const unsigned* grid, int threads, int shared bytes, unsigned seed
  launch: { parameters: ["buffer", "buffer", "buffer", "i32", "i32", "u32"], result: "i32" },
} as const;

/** PTX instructions of common.cuh, and what does the same on a CPU. */
const INSTRUCTIONS: readonly (readonly [RegExp, string])[] = [
  [/asm\("cvt\.f32\.f16[^;]*;[^;]*;/, "y = f16_to_float(x.bits);"],
  [/asm\("cvt\.rn\.f16\.f32[^;]*;[^;]*;/, "y.bits = float_to_f16(x);"],
  [/asm\("cvt\.rn\.bf16\.f32[^;]*;[^;]*;/, "y.bits = float_to_bf16(x);"],
  [/asm volatile\("ld\.global\.nc[^;]*;[^;]*;/, "v = *p;"],
  [/asm volatile\("\{[^]*?\(u32\)wanted\)\);/, "if (wanted) v = *p;"],
  [/asm volatile\("prefetch\.global[^;]*;[^;]*;/, ""],
];

/** Whether the CUDA source can be compiled for this machine. */
export const hasCompiler: boolean = Deno.build.os === "linux" && Deno.build.arch === "x86_64" && await works();

async function works(): Promise<boolean> {
  try {
    const { success, stdout } = await new Deno.Command("g++", { args: ["-dumpversion"], stderr: "null" }).output();
    return success && Number.parseInt(new TextDecoder().decode(stdout)) >= 12; // has _Float16
  } catch {
    return false;
  }
}

const libraries = new Map<FloatType, string>();
let compiled = 0;
const folder = hasCompiler ? Deno.makeTempDirSync({ prefix: "kvcompress_kernels_" }) : "";
if (hasCompiler) globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Compiles the kernels for a type, once if nothing is changed. Returns the library's path. */
function libraryFor(dtype: FloatType, change: ((text: string, file: string) => string) | undefined): string {
  const found = change ? undefined : libraries.get(dtype);
  if (found) return found;
  const into = `${folder}/${compiled++}`;
  Deno.mkdirSync(into);
  for (const file of cudaFiles()) {
    let text = Deno.readTextFileSync(new URL(file, CUDA_FOLDER));
    text = change?.(text, file) ?? text;
    for (const [pattern, instead] of file === "common.cuh" ? INSTRUCTIONS : []) {
      if (!pattern.test(text)) throw new Error(`common.cuh has no ${pattern}`);
      text = text.replace(pattern, instead);
    }
    text = text.replaceAll("extern __shared__ uint4 shared[];", "").replaceAll("__shared__", "static");
    Deno.writeTextFileSync(`${into}/${file}`, text);
  }
  for (const name of ["cuda_on_cpu.h", "kernels.cpp"]) {
    Deno.copyFileSync(new URL(`cpu/${name}`, import.meta.url), `${into}/${name}`);
  }
  const path = `${into}/kernels.so`;
  // Products and sums are not contracted: which of them are is the compiler's choice, for a GPU's code too.
  const args = ["-shared", "-fPIC", "-O2", "-std=c++17", "-mf16c", "-ffp-contract=off", "-fno-strict-aliasing", "-w"];
  const { success, stderr } = new Deno.Command("g++", {
    args: [...args, "-U_FORTIFY_SOURCE", `-DTYPE=${COMPILER.types[dtype]}`, "-o", path, `${into}/kernels.cpp`],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  if (!change) libraries.set(dtype, path);
  return path;
}

/** Launches kernels on the CPU. The order of a kernel's blocks changes from launch to launch. */
export class CpuLauncher implements KernelLauncher {
  readonly multiprocessors = 132;
  readonly sharedMemory = 227 * 1024;
  readonly launched: string[] = [];
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;

  /** @param change Changes the source, to plant a fault. */
  constructor(dtype: FloatType, change?: (text: string, file: string) => string) {
    this.#library = Deno.dlopen(libraryFor(dtype, change), SYMBOLS);
  }

  launch(name: string, { grid: [x, y = 1, z = 1], threads, shared = 0, argument }: Launch): void {
    if (shared > this.sharedMemory) throw new RangeError(`${name} asks for ${shared} bytes of shared memory`);
    const seed = this.launched.push(name);
    const text = new TextEncoder().encode(`${name}\0`);
    const code = this.#library.symbols.launch(text, argument, Uint32Array.of(x, y, z), threads, shared, seed);
    if (code === 1) throw new Error(`kernels.cpp has no ${name}`);
    if (code === 2) throw new Error(`${name} writes past its ${shared} bytes of shared memory`);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}
