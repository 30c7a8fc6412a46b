import { InputError } from "../util/errors.ts";
import type { Staging } from "./staging.ts";

/** Bytes of a file, and where in memory they belong. */
export interface FileRange {
  /** Path of the file. */
  readonly file: string;
  /** First byte in the file. */
  readonly offset: number;
  readonly bytes: number;
  /** First byte in the memory. */
  readonly to: number;
}

/** A piece of a file that is read at once, and where its parts go. */
export interface Piece {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  /** `from`: byte of the piece; `to`: byte of the memory. */
  readonly parts: readonly { readonly from: number; readonly to: number; readonly bytes: number }[];
}

/**
 * Cuts ranges into pieces of up to `most` bytes. Ranges that follow each other in a file are read as one, so that a file
 * of many small tensors takes no more reads than one of a few large ones.
 *
 * @example
 * ```ts
 * import { cutPieces } from "./read_pieces.ts";
 *
 * const file = "model.safetensors";
 * const ranges = [{ file, offset: 100, bytes: 6, to: 0 }, { file, offset: 106, bytes: 4, to: 256 }];
 * console.log(cutPieces(ranges, 8).map(({ offset, bytes }) => [offset, bytes])); // [ [ 100, 8 ], [ 108, 2 ] ]
 * ```
 *
 * @param ranges In the order of their files' bytes, no two of which overlap.
 * @param most Bytes of the largest piece.
 * @returns The pieces, in that order.
 */
export function cutPieces(ranges: readonly FileRange[], most: number): Piece[] {
  const pieces: {
    file: string;
    offset: number;
    bytes: number;
    parts: { from: number; to: number; bytes: number }[];
  }[] = [];
  for (const { file, offset, bytes, to } of ranges) {
    for (let done = 0; done < bytes;) {
      let piece = pieces.at(-1);
      const follows = piece?.file === file && piece.offset + piece.bytes === offset + done && piece.bytes < most;
      if (!piece || !follows) pieces.push(piece = { file, offset: offset + done, bytes: 0, parts: [] });
      const part = Math.min(bytes - done, most - piece.bytes);
      piece.parts.push({ from: piece.bytes, to: to + done, bytes: part });
      piece.bytes += part;
      done += part;
    }
  }
  return pieces;
}

/**
 * Reads pieces of files, several at a time, and sends each to a device as soon as it is read.
 *
 * @param pieces What to read.
 * @param memory Address of the memory.
 * @param staging Buffers to read into, a slot for each piece in progress.
 * @param stopped Called before each piece: whether to stop.
 * @throws {InputError} If a file cannot be read, or ends before a piece does.
 */
export async function readPieces(
  pieces: readonly Piece[],
  memory: Deno.PointerObject,
  staging: Staging,
  stopped: () => boolean = () => false,
): Promise<void> {
  let next = 0;
  const reader = async (slot: number) => {
    let path = "", file: Deno.FsFile | undefined;
    try {
      while (next < pieces.length && !stopped()) {
        const piece = pieces[next++]!;
        const into = staging.take(slot).subarray(0, piece.bytes);
        if (path !== piece.file) {
          file?.close();
          file = undefined;
          file = await Deno.open(path = piece.file);
        }
        await read(file!, piece, into);
        for (const { from, to, bytes } of piece.parts) {
          staging.send(slot, from, Deno.UnsafePointer.offset(memory, to)!, bytes);
        }
        staging.sent(slot);
      }
    } catch (error) {
      next = pieces.length; // the others need not go on
      if (error instanceof InputError) throw error;
      throw new InputError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
    } finally {
      file?.close();
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: staging.slots }, (_, slot) => reader(slot)));
  staging.flush();
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Fills `into` with the file's bytes from the start of the piece on. */
async function read(file: Deno.FsFile, piece: Piece, into: Uint8Array<ArrayBuffer>): Promise<void> {
  await file.seek(piece.offset, Deno.SeekMode.Start);
  for (let done = 0; done < into.length;) {
    const n = await file.read(into.subarray(done));
    if (n === null) {
      throw new InputError(
        `Cannot read ${piece.file}: it ends at byte ${piece.offset + done}, weights go on to ${
          piece.offset + piece.bytes
        }: it became shorter since its header was read, copy or download it again`,
      );
    }
    done += n;
  }
}
