import { type AsyncBuffer, parquetMetadataAsync, type ParquetScan, parquetScan, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { printable } from "../util/printable.ts";
import { openRegular } from "../util/regular_file.ts";
import { ByteText, type Fault } from "./byte_text.ts";
import { whyUnreadable } from "./file_pieces.ts";
import { listed } from "./json_row.ts";
import type { TextSource } from "./text_source.ts";

/** Rows to decode first; doubled each time, so that a few texts cost little and many are read quickly. */
const FIRST_ROWS = 16;

/** Bytes of a text to decode at once. */
const PIECE = 1 << 16;

/**
 * Yields the texts of one column of a Parquet file, row by row. Only that column is read, one row group at a time, and
 * only as far as rows are requested. With a page index, only the needed pages are read.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { parquetTexts } from "./parquet.ts";
 *
 * const path = "tests/fixtures/parquet/zstd-plain.parquet";
 * for await (const text of parquetTexts(path, "title", (why) => new InputError(why))) {
 *   console.log(await text!.head(2)); // { text: "t0", complete: false }
 *   break;
 * }
 * ```
 *
 * @param path The file.
 * @param column The column's name.
 * @param fault Makes the error if the file is not Parquet, is damaged, or has no such column of text.
 * @returns A text for each row; undefined for a null.
 */
export async function* parquetTexts(
  path: string,
  column: string,
  fault: Fault,
): AsyncGenerator<TextSource | undefined> {
  using file = await openRegular(path).catch(async (error) => {
    throw fault(await whyUnreadable(error, path), error);
  });
  const scan = await open(file, column, fault);
  for (const { rowStart, rowEnd } of scan.ranges) {
    let count = FIRST_ROWS;
    for (let row = rowStart; row < rowEnd; row += count, count *= 2) {
      const values = await read(scan, column, row, Math.min(row + count, rowEnd), fault);
      for (const [i, value] of values.entries()) {
        yield value instanceof Uint8Array
          ? new ByteText(pieces(value), (why, cause) => fault(`row ${row + i + 1}: ${why}`, cause))
          : undefined;
      }
    }
  }
}

/**
 * Returns the same file with a cache of the last read: without a page index, each batch of rows reads the whole column.
 */
function lastKept({ byteLength, slice }: AsyncBuffer): AsyncBuffer {
  let last: { start: number; end: number | undefined; bytes: ReturnType<AsyncBuffer["slice"]> } | undefined;
  return {
    byteLength,
    slice(start, end) {
      if (last?.start !== start || last.end !== end) last = { start, end, bytes: slice(start, end) };
      return last.bytes;
    },
  };
}

/** Reads and checks the file's metadata. */
async function open(file: Deno.FsFile, column: string, fault: Fault): Promise<ParquetScan> {
  const { size } = file.statSync();
  if (size === 0) throw fault("it is empty");
  const buffer = lastKept({ byteLength: size, slice: (start, end) => slice(file, start, end ?? size) });
  const isParquet = size >= 12 && [0, size - 4].every((at) => ascii(slice(file, at, at + 4)) === "PAR1");
  if (!isParquet) throw fault("it is not a whole Parquet file: those begin and end with PAR1");
  try {
    const metadata = await parquetMetadataAsync(buffer, { geoparquet: false });
    const columns = parquetSchema(metadata).children;
    const found = columns.find(({ element }) => element.name === column);
    if (found === undefined) {
      const names = columns.map(({ element }) => element.name);
      throw fault(
        `there is no column "${column}", its columns are ${listed(names)}; give one of them as --text_column`,
      );
    }
    const { type, logical_type, converted_type } = found.element;
    const isText = type === "BYTE_ARRAY" && found.children.length === 0 &&
      (logical_type === undefined || logical_type.type === "STRING") &&
      (converted_type === undefined || converted_type === "UTF8");
    if (!isText) {
      const kind = logical_type?.type ?? converted_type ?? type ?? "a group";
      throw fault(`its column "${column}" holds ${kind}, not text; give another --text_column`);
    }
    // Bytes are decoded to text later, only for the rows that are used.
    const parsers = { stringFromBytes: (bytes: Uint8Array) => bytes };
    return await parquetScan({ file: buffer, metadata, columns: [column], compressors, parsers });
  } catch (error) {
    throw damaged(error, fault);
  }
}

async function read(scan: ParquetScan, column: string, rowStart: number, rowEnd: number, fault: Fault) {
  try {
    return Array.from(await scan.readColumn({ column, rowStart, rowEnd }) as ArrayLike<unknown>);
  } catch (error) {
    throw damaged(error, fault);
  }
}

function damaged(error: unknown, fault: Fault): Error {
  if (error instanceof Error && error.name === "InputError") return error;
  return fault(
    `it is damaged, or not Parquet that is supported: ${
      printable(error instanceof Error ? error.message : String(error), 200)
    }`,
    error,
  );
}

/** Reads bytes of the file, synchronously: nothing else may seek between seeking and reading. */
function slice(file: Deno.FsFile, start: number, end: number): ArrayBuffer {
  const bytes = new Uint8Array(Math.max(end - start, 0));
  file.seekSync(start, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) throw new Error(`the file ends at byte ${start + at}, ${end} are said to be there`);
    at += read;
  }
  return bytes.buffer;
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

function ascii(bytes: ArrayBuffer): string {
  return String.fromCharCode(...new Uint8Array(bytes));
}
