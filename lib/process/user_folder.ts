import { fromFileUrl, resolve } from "@std/path";
import { readEnv } from "./child_env.ts";

/**
 * A path as the user means it: from the folder they stand in. `deno task` runs scripts in the project's folder, wherever it
 * is called, and says in `INIT_CWD` where that was.
 *
 * @example
 * ```ts
 * import { fromUserFolder } from "./user_folder.ts";
 *
 * console.log(fromUserFolder("/data/model")); // /data/model
 * ```
 *
 * @param path As it was given.
 * @returns An absolute path.
 */
export function fromUserFolder(path: string): string {
  const started = readEnv("INIT_CWD");
  // npm sets it too, for all that is started from its scripts: only in the project's folder does it tell of the task.
  return started !== undefined && isProject(Deno.cwd()) ? resolve(started, path) : resolve(path);
}

function isProject(folder: string): boolean {
  const project = new URL("../../", import.meta.url);
  return project.protocol === "file:" && resolve(fromFileUrl(project)) === resolve(folder);
}
