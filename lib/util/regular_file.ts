/**
 * Opens files that a user names, or that such files name. Only regular files: opening a FIFO waits for a writer, and
 * reading a device may never end, in a system call that no signal handler interrupts.
 *
 * @module
 */

/** What stands where a regular file has to be. */
export class NotRegular extends Error {
  override readonly name = "NotRegular";
}

/**
 * Opens a regular file for reading, links followed.
 *
 * @example
 * ```ts
 * import { openRegularSync } from "./regular_file.ts";
 *
 * using file = openRegularSync("deno.json");
 * console.log(file.statSync().isFile); // true
 * ```
 *
 * @param path Path of the file.
 * @returns The open file.
 * @throws {NotRegular} If it is a folder, a FIFO, a socket or a device, or a link to one.
 * @throws {Deno.errors.NotFound} If there is none; other errors of the system as they are.
 */
export function openRegularSync(path: string): Deno.FsFile {
  refuseOther(Deno.statSync(path));
  return Deno.openSync(path);
}

/** {@linkcode openRegularSync}, without blocking. */
export async function openRegular(path: string): Promise<Deno.FsFile> {
  refuseOther(await Deno.stat(path));
  return await Deno.open(path);
}

/**
 * Reads a regular file whole, if it is not larger than it may be.
 *
 * @example
 * ```ts
 * import { readRegularSync } from "./regular_file.ts";
 *
 * console.log(readRegularSync("deno.json", 1 << 20).length > 100); // true
 * ```
 *
 * @param path Path of the file.
 * @param most Bytes of the largest file that is read.
 * @returns Its bytes.
 * @throws {NotRegular} If it is something else, or larger.
 */
export function readRegularSync(path: string, most: number): Uint8Array<ArrayBuffer> {
  using file = openRegularSync(path);
  const bytes = new Uint8Array(sizeOf(file.statSync(), most));
  let done = 0;
  for (let n; done < bytes.length && (n = file.readSync(bytes.subarray(done))) !== null;) done += n;
  return bytes.subarray(0, done);
}

/** {@linkcode readRegularSync}, without blocking. */
export async function readRegular(path: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
  using file = await openRegular(path);
  const bytes = new Uint8Array(sizeOf(file.statSync(), most));
  let done = 0;
  for (let n; done < bytes.length && (n = await file.read(bytes.subarray(done))) !== null;) done += n;
  return bytes.subarray(0, done);
}

function sizeOf({ size }: Deno.FileInfo, most: number): number {
  if (size <= most) return size;
  throw new NotRegular(`it has ${size} bytes; files of its kind are read up to ${most / 2 ** 20} MiB`);
}

function refuseOther(info: Deno.FileInfo): void {
  if (info.isFile) return;
  const kind = info.isDirectory
    ? "a folder"
    : info.isFifo
    ? "a pipe (FIFO)"
    : info.isSocket
    ? "a socket"
    : info.isCharDevice || info.isBlockDevice
    ? "a device"
    : "no file";
  throw new NotRegular(info.isDirectory ? "it is a folder" : `it is ${kind}; only regular files are read here`);
}
