import { dirname } from "@std/path";

/**
 * Returns the lowest folder that holds the folders of all files. Files are named relative to it, so that a page does not
 * depend on where the results lie.
 *
 * @param files Their paths; none if there are no files.
 *
 * @example
 * ```ts
 * import { commonFolder } from "./common_folder.ts";
 *
 * console.log(commonFolder(["/r/a/results.json", "/r/b/c/results.json"])); // /r
 * console.log(commonFolder(["/r/a/results.json"])); // /r
 * ```
 */
export function commonFolder(files: readonly string[]): string {
  const isIn = (file: string, folder: string) => file.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
  let folder = dirname(dirname(files[0] ?? "."));
  while (folder !== dirname(folder) && !files.every((file) => isIn(dirname(file), folder))) folder = dirname(folder);
  return folder;
}
