import { printable } from "../../util/printable.ts";

/** Whether something of that name is there: a file, a folder, or a link even if it leads nowhere. */
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

/** Why a file could not be opened or read, in words. */
export function whyUnreadable(file: string, error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    try {
      // The hub's cache holds links into a folder of blobs; one that was cleared away leaves them hanging.
      return `it is a link to ${printable(Deno.readLinkSync(file), 200)}, which is not there; download it again`;
    } catch {
      return "there is no such file";
    }
  }
  if (isFolder(file)) return "it is a folder";
  return printable(error instanceof Error ? error.message : String(error));
}
