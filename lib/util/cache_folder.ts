import { join } from "@std/path";

/**
 * Returns the user's folder for files that can be made again: `$XDG_CACHE_HOME` if it is set, else `~/.cache` on Linux,
 * `~/Library/Caches` on macOS and `%LOCALAPPDATA%` on Windows. Null if the environment names no home.
 *
 * Needs the permission to read the variables it names.
 *
 * @param env Reads an environment variable; `Deno.env.get` unless given.
 * @returns The folder's path; it need not exist.
 *
 * @example
 * ```ts
 * import { cacheFolder } from "./cache_folder.ts";
 *
 * console.log(cacheFolder((name) => name === "XDG_CACHE_HOME" ? "/scratch/cache" : undefined)); // /scratch/cache
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
