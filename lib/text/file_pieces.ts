import type { Fault } from "./byte_text.ts";

/** Bytes read at once. */
const PIECE = 1 << 17;

/**
 * A file's bytes from its beginning, piece by piece; those of a .gz file unpacked. The file is open only while a piece is
 * read: so the generator may be left at any piece.
 *
 * @example
 * ```ts
 * import { InputError } from "../errors.ts";
 * import { filePieces } from "./file_pieces.ts";
 *
 * let bytes = 0;
 * for await (const piece of filePieces("deno.json", (why) => new InputError(why))) bytes += piece.length;
 * console.log(bytes === (await Deno.stat("deno.json")).size); // true
 * ```
 *
 * @param path The file.
 * @param fault Makes the error where it cannot be read.
 * @returns The pieces, each a buffer of its own.
 */
export async function* filePieces(path: string, fault: Fault): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (!/\.gz$/i.test(path)) return yield* plainPieces(path, fault);
  const packed = ReadableStream.from(plainPieces(path, fault));
  const pieces = packed.pipeThrough(new DecompressionStream("gzip"))[Symbol.asyncIterator]();
  try {
    while (true) {
      const { value, done } = await pieces.next().catch((error) => {
        throw error instanceof TypeError ? fault("it is not gzip, or damaged", error) : error;
      });
      if (done) return;
      yield value;
    }
  } finally {
    await pieces.return?.();
  }
}

async function* plainPieces(path: string, fault: Fault): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0;;) {
    const piece = await readAt(path, at).catch(async (error) => {
      throw fault(await whyUnreadable(error, path), error);
    });
    if (piece === null) return;
    at += piece.length;
    yield piece;
  }
}

async function readAt(path: string, at: number): Promise<Uint8Array<ArrayBuffer> | null> {
  using file = await Deno.open(path);
  if (at > 0) await file.seek(at, Deno.SeekMode.Start);
  const piece = new Uint8Array(PIECE);
  const read = await file.read(piece);
  return read === null ? null : piece.subarray(0, read);
}

/**
 * Why a file or folder could not be opened, for people.
 *
 * @param error What was thrown.
 * @param path The file.
 * @returns A clause.
 */
export async function whyUnreadable(error: unknown, path: string): Promise<string> {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
    return "there is no such file";
  }
  if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) {
    return "it may not be read: permission denied";
  }
  // What reading a folder fails with differs from system to system.
  if (await Deno.stat(path).then((found) => found.isDirectory, () => false)) return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}
