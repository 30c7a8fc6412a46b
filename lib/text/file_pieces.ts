import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { openRegular } from "../util/regular_file.ts";
import type { Fault } from "./byte_text.ts";

/** Longest time of unpacking before other work gets its turn, ms. */
const PAUSE_MS = 50;

/** Bytes read at once. */
const PIECE = 1 << 17;

/**
 * Yields a file's bytes from its beginning, piece by piece. A .gz file is unpacked with all its members: `cat a.gz
 * b.gz`, bgzip and logrotate make several. The file is open only while a piece is read, so iteration may stop at any
 * piece.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { filePieces } from "./file_pieces.ts";
 *
 * let bytes = 0;
 * for await (const piece of filePieces("deno.json", (why) => new InputError(why))) bytes += piece.length;
 * console.log(bytes === (await Deno.stat("deno.json")).size); // true
 * ```
 *
 * @param path The file.
 * @param fault Makes the error if it cannot be read.
 * @param signal Ends reading, with its reason.
 * @returns The pieces, each in its own buffer.
 */
export async function* filePieces(
  path: string,
  fault: Fault,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const plain = plainPieces(path, fault, signal);
  if (!/\.gz$/i.test(path)) return yield* plain;
  const unpacked = createGunzip({ chunkSize: PIECE });
  // Errors surface where the pieces are read.
  const fed = pipeline(Readable.from(plain), unpacked).catch(() => {});
  let isFirst = true;
  let paused = performance.now();
  try {
    for await (const piece of unpacked) {
      // Unpacking runs in this thread and by itself lets no timer and no signal run.
      if (performance.now() - paused > PAUSE_MS) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        paused = performance.now();
      }
      signal?.throwIfAborted();
      yield piece as Uint8Array<ArrayBuffer>;
      isFirst = false;
    }
  } catch (error) {
    const { code = "", message } = error as Error & { readonly code?: unknown };
    if (!String(code).startsWith("Z_")) throw error;
    const isAfter = !isFirst && message === "incorrect header check";
    throw fault(isAfter ? "what follows its packed data is not gzip" : "it is not gzip, or damaged", error);
  } finally {
    unpacked.destroy();
    await fed;
  }
}

async function* plainPieces(
  path: string,
  fault: Fault,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0;;) {
    signal?.throwIfAborted();
    const piece = await readAt(path, at).catch(async (error) => {
      throw fault(await whyUnreadable(error, path), error);
    });
    if (piece === null) return;
    at += piece.length;
    yield piece;
  }
}

async function readAt(path: string, at: number): Promise<Uint8Array<ArrayBuffer> | null> {
  using file = await openRegular(path);
  if (at > 0) await file.seek(at, Deno.SeekMode.Start);
  const piece = new Uint8Array(PIECE);
  const read = await file.read(piece);
  return read === null ? null : piece.subarray(0, read);
}

/**
 * Returns why a file or folder could not be opened, for people.
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
  // The error of reading a folder differs between systems.
  if (await Deno.stat(path).then((found) => found.isDirectory, () => false)) return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}
