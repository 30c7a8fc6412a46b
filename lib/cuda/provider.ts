import { Buffer } from "node:buffer";
import { neededLibraries } from "./elf.ts";
import type { CudaMajor } from "./libraries.ts";

/**
 * Returns the CUDA version that ONNX Runtime's CUDA provider was built for, from the libraries it needs. Does not load
 * it.
 *
 * @param path Path of `libonnxruntime_providers_cuda.so`.
 * @returns The major version; null if the file does not tell (it is not a Linux library, or is for another CUDA
 * version).
 *
 * @throws {Deno.errors.NotFound} If the file does not exist.
 *
 * @example
 * ```ts ignore
 * import { cudaMajorOf } from "./provider.ts";
 *
 * cudaMajorOf("/opt/ort/libonnxruntime_providers_cuda.so"); // 13
 * ```
 */
export function cudaMajorOf(path: string): CudaMajor | null {
  try {
    const needed = neededLibraries(path);
    return ([13, 12] as const).find((major) => needed.includes(`libcudart.so.${major}`)) ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * Whether a provider belongs to a version of ONNX Runtime. It registers its kernels under that version, a separate
 * string in the file. A provider of another version expects other C++ structures than the library has, and crashes.
 *
 * @param path Path of the provider.
 * @param version Such as "1.29.0".
 * @returns True if the file holds that string.
 *
 * @throws {Deno.errors.NotFound} If the file does not exist.
 *
 * @example
 * ```ts ignore
 * import { isOfVersion } from "./provider.ts";
 *
 * await isOfVersion("/opt/ort/libonnxruntime_providers_cuda.so", "1.29.0"); // true
 * ```
 */
export async function isOfVersion(path: string, version: string): Promise<boolean> {
  const wanted = Buffer.from(`\0${version}\0`);
  using file = await Deno.open(path);
  const piece = Buffer.alloc(1 << 22);
  let kept = 0; // the end of the last piece, which may hold the beginning of the string
  for (;;) {
    const n = await file.read(piece.subarray(kept));
    if (n === null) return false;
    const seen = piece.subarray(0, kept + n);
    if (seen.includes(wanted)) return true;
    kept = Math.min(seen.length, wanted.length - 1);
    piece.copyWithin(0, seen.length - kept, seen.length);
  }
}
