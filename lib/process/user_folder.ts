import { fromFileUrl, resolve } from "@std/path";
import { readEnv } from "./child_env.ts";

/**
 * Resolves a path relative to the user's current folder. `deno task` runs scripts in the project's folder, wherever it
 * is called, and gives the caller's folder in `INIT_CWD`.
 *
 * @example
 * ```ts
 * import { fromUserFolder } from "./user_folder.ts";
 *
 * console.log(fromUserFolder("/data/model")); // /data/model
 * ```
 *
 * @param path The path, as given.
 * @returns An absolute path.
 */
export function fromUserFolder(path: string): string {
  const started = readEnv("INIT_CWD");
  // npm also sets it for all processes started from its scripts. It comes from `deno task` only if this runs in the
  // project's folder.
  return started !== undefined && isProject(Deno.cwd()) ? resolve(started, path) : resolve(path);
}

function isProject(folder: string): boolean {
  const project = new URL("../../", import.meta.url);
  return project.protocol === "file:" && resolve(fromFileUrl(project)) === resolve(folder);
}
