import { printable } from "../../util/printable.ts";

/** Whether a path exists: a file, a folder, or a link, even a dangling one. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether it is a folder, or a link to one. */
export function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Returns why a file could not be opened or read, in words. */
export function whyUnreadable(file: string, error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    try {
      // The hub's cache holds links into a folder of blobs; a deleted blob leaves them dangling.
      return `it is a link to ${printable(Deno.readLinkSync(file), 200)}, which does not exist; download it again`;
    } catch {
      return "there is no such file";
    }
  }
  if (isFolder(file)) return "it is a folder";
  return printable(error instanceof Error ? error.message : String(error));
}
