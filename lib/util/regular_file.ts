/**
 * Opens files named by a user, or by a user's files. Only regular files are opened: opening a FIFO waits for a writer,
 * and reading a device may never end, in a system call that no signal handler interrupts.
 *
 * @module
 */

/** The path is not a regular file, or the file is too large. */
export class NotRegular extends Error {
  override readonly name = "NotRegular";
}

/**
 * Opens a regular file for reading; follows links.
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
 * @throws {Deno.errors.NotFound} If it does not exist; other system errors are passed on.
 */
export function openRegularSync(path: string): Deno.FsFile {
  refuseOther(Deno.statSync(path));
  return Deno.openSync(path);
}

/** As {@linkcode openRegularSync}, without blocking. */
export async function openRegular(path: string): Promise<Deno.FsFile> {
  refuseOther(await Deno.stat(path));
  return await Deno.open(path);
}

/**
 * Reads a whole regular file, up to a limit.
 *
 * @example
 * ```ts
 * import { readRegularSync } from "./regular_file.ts";
 *
 * console.log(readRegularSync("deno.json", 1 << 20).length > 100); // true
 * ```
 *
 * @param path Path of the file.
 * @param most Largest file to read, bytes.
 * @returns Its bytes.
 * @throws {NotRegular} If it is not a regular file, or larger.
 */
export function readRegularSync(path: string, most: number): Uint8Array<ArrayBuffer> {
  using file = openRegularSync(path);
  const bytes = new Uint8Array(sizeOf(file.statSync(), most));
  let done = 0;
  for (let n; done < bytes.length && (n = file.readSync(bytes.subarray(done))) !== null;) done += n;
  return bytes.subarray(0, done);
}

/** As {@linkcode readRegularSync}, without blocking. */
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
