import { join } from "@std/path";
import { cacheFolder } from "../util/cache_folder.ts";

/**
 * The version of ONNX Runtime this project is built and tested with: that of `npm:onnxruntime-node` in deno.json. The
 * library and its CUDA provider must be of one version, since they share C++ structures.
 */
export const ORT_VERSION = "1.29.0";

/**
 * The folder that `deno task setup:cuda` fills with libonnxruntime and its CUDA provider, in {@linkcode cacheFolder}.
 * Its name carries the version, so that an update never mixes with older files.
 *
 * @param env Reads an environment variable; `Deno.env.get` unless given.
 * @returns The folder's path; it need not exist. Null if there is no cache folder.
 *
 * @example
 * ```ts
 * import { setupFolder } from "./setup_folder.ts";
 *
 * console.log(setupFolder()); // "/home/ada/.cache/kvcompress/onnxruntime-1.29.0-cuda"
 * ```
 */
export function setupFolder(env: (name: string) => string | undefined = Deno.env.get): string | null {
  const cache = cacheFolder(env);
  return cache === null ? null : join(cache, "kvcompress", `onnxruntime-${ORT_VERSION}-cuda`);
}
