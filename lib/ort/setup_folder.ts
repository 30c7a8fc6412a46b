import { join } from "@std/path";

/**
 * The version of ONNX Runtime this project is built and tested with: that of `npm:onnxruntime-node` in deno.json. The
 * library and its CUDA provider must be of one version, since they share C++ structures.
 */
export const ORT_VERSION = "1.29.0";

/**
 * The user's folder for files that can be made again: `$XDG_CACHE_HOME` where it is set, else `~/.cache` on Linux,
 * `~/Library/Caches` on macOS and `%LOCALAPPDATA%` on Windows. Null where the environment names no home.
 *
 * Needs the permission to read the variables it names.
 *
 * @param env Reads an environment variable; `Deno.env.get` unless given.
 * @returns The folder's path; it need not exist.
 *
 * @example
 * ```ts
 * import { cacheFolder } from "./setup_folder.ts";
 *
 * cacheFolder((name) => name === "XDG_CACHE_HOME" ? "/scratch/cache" : undefined); // "/scratch/cache"
 * ```
 */
export function cacheFolder(env: (name: string) => string | undefined = Deno.env.get): string | null {
  const xdg = env("XDG_CACHE_HOME");
  if (xdg) return xdg;
  if (Deno.build.os === "windows") return env("LOCALAPPDATA") || null;
  const home = env("HOME");
  if (!home) return null;
  return Deno.build.os === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
}

/**
 * The folder that `deno task setup:cuda` fills with libonnxruntime and its CUDA provider, in {@linkcode cacheFolder}.
 * Its name carries the version, so that an update never mixes with what lies there.
 *
 * @param env Reads an environment variable; `Deno.env.get` unless given.
 * @returns The folder's path; it need not exist. Null where there is no cache folder.
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
