import { assetPath } from "../process/assets.ts";
import type { FloatType } from "../util/dtype.ts";
import { cudaDigest } from "./cuda_source.ts";

/**
 * Version of nvcc that makes the PTX in git. Another version makes other PTX, whose speed and results have not been
 * measured.
 */
export const NVCC_VERSION = "13.0.88";

/** The compiler's options, without the paths of source and result. A change requires a compilation. */
export const COMPILER = {
  options: ["-ptx", "-std=c++17", "-O3"],
  /** `TYPE` in the source, by the type of weights, activations and cache. */
  types: { float16: "F16", bfloat16: "BF16", float32: "float" } as Readonly<Record<FloatType, string>>,
  /** What is compiled by itself: one step's kernels, and those of a pass of several tokens, which few runs need. */
  units: ["step", "rows"],
  /** Compute capabilities: Ampere, and Hopper, which can start a kernel while the one before it runs. */
  targets: [80, 90],
  /** The PTX version written into the files: that of CUDA 12.3, which has all instructions used. Older drivers load it. */
  ptx: "8.3",
} as const;

/** A source file that is compiled by itself, without its ending. */
export type Unit = (typeof COMPILER.units)[number];

/** The folder of the compiled kernels. */
export const PTX_FOLDER: URL = new URL("./ptx/", import.meta.url);

/**
 * Returns where the compiled kernels are.
 *
 * @param type Type of weights, activations and cache.
 * @param target Compute capability, 80 or 90.
 * @param unit Which kernels.
 * @returns The compressed file.
 *
 * @example
 * ```ts
 * import { ptxFile } from "./ptx_files.ts";
 *
 * console.log(ptxFile("float16", 90).pathname.split("/").at(-1)); // step.float16.sm_90.ptx.gz
 * ```
 */
export function ptxFile(type: FloatType, target: (typeof COMPILER.targets)[number], unit: Unit = "step"): URL {
  return new URL(`${unit}.${type}.sm_${target}.ptx.gz`, PTX_FOLDER);
}

/**
 * {@linkcode ptxFile} as a path on this machine, even if the package was loaded from a URL; see {@linkcode assetPath}.
 */
export function ptxPath(type: FloatType, target: (typeof COMPILER.targets)[number], unit: Unit = "step"): string {
  return assetPath(ptxFile(type, target, unit));
}

/**
 * Returns the first line of a PTX file: which source it was compiled from.
 *
 * @returns The first line of files compiled from the current source.
 *
 * @example
 * ```ts
 * import { ptxHead } from "./ptx_files.ts";
 *
 * console.log(ptxHead().split(" ").length); // 6
 * ```
 */
export function ptxHead(): string {
  return `// lib/kernels/cuda, sha256 of its code ${cudaDigest(COMPILER)}`;
}

/**
 * Returns the version of nvcc that a text names: the output of `--version`, or the head of PTX that it made.
 *
 * @param text The text.
 * @returns Such as 13.0.88; undefined if the text names no version.
 *
 * @example
 * ```ts
 * import { nvccVersion } from "./ptx_files.ts";
 *
 * console.log(nvccVersion("// Cuda compilation tools, release 13.0, V13.0.88")); // 13.0.88
 * ```
 */
export function nvccVersion(text: string): string | undefined {
  return /Cuda compilation tools, release [\d.]+, V(\d+(?:\.\d+)+)/.exec(text)?.[1];
}
