import { ByteText, type Fault, onlyText } from "./byte_text.ts";
import type { FileKind } from "./dataset_files.ts";
import { filePieces } from "./file_pieces.ts";
import { jsonArray } from "./json_array.ts";
import { jsonLines } from "./json_lines.ts";
import { textOfRow } from "./json_row.ts";
import { parquetTexts } from "./parquet.ts";
import type { TextSource } from "./text_source.ts";

/**
 * Yields the texts of one file, read on demand.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { textsOfFile } from "./rows.ts";
 *
 * for await (const text of textsOfFile("LICENSE", "text", "text", (why) => new InputError(why))) {
 *   console.log((await text!.head(11)).text.slice(0, 11)); // MIT License
 * }
 * ```
 *
 * @param path The file.
 * @param kind Its kind.
 * @param column Column or field that holds the text, if it is a table.
 * @param fault Makes the error.
 * @param signal Ends reading.
 * @returns A text for each row, or the one text; undefined for a row without text.
 */
export async function* textsOfFile(
  path: string,
  kind: FileKind,
  column: string,
  fault: Fault,
  signal?: AbortSignal,
): AsyncGenerator<TextSource | undefined> {
  if (kind === "parquet") return yield* parquetTexts(path, column, fault);
  // A text may be read further after others have been started, so it stays readable after this generator has ended.
  if (kind === "text") return yield new ByteText(onlyText(filePieces(path, fault, signal), fault), fault);
  const rows = kind === "jsonl"
    ? jsonLines(filePieces(path, fault, signal), fault)
    : jsonArray(filePieces(path, fault, signal), fault);
  let isFirst = true;
  for await (const { value, line } of rows) {
    const atLine: Fault = (why, cause) => fault(`line ${line}: ${why}`, cause);
    yield textOfRow(value, column, atLine, isFirst);
    isFirst &&= value === null;
  }
}
