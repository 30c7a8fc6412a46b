import { printable } from "../util/printable.ts";
import { stringSource, type TextSource } from "./text_source.ts";
import type { Fault } from "./byte_text.ts";

/**
 * Returns the text of a row of JSON: the row itself if it is a string, else its column.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { textOfRow } from "./json_row.ts";
 *
 * const text = textOfRow({ body: "Call me Ishmael." }, "body", (why) => new InputError(why), true);
 * console.log((await text!.head(4)).text); // Call me Ishmael.
 * ```
 *
 * @param row The row, parsed.
 * @param column The column's name.
 * @param fault Makes the error, naming the row.
 * @param mustHave Whether a missing column is an error. In the first row the name may be wrong; later it is a gap.
 * @returns The text; undefined for a row without text, which is null or whose column is null or missing.
 * @throws {InputError} If the row or its column is not text, or the column is missing although `mustHave`.
 */
export function textOfRow(row: unknown, column: string, fault: Fault, mustHave: boolean): TextSource | undefined {
  if (row === null) return undefined;
  if (typeof row === "string") return stringSource(row);
  if (typeof row !== "object" || Array.isArray(row)) {
    throw fault(`found ${kindOf(row)}, give strings, or objects with a field "${column}"`);
  }
  if (!Object.hasOwn(row, column)) {
    if (!mustHave) return undefined;
    throw fault(
      `there is no field "${column}", its fields are ${listed(Object.keys(row))}; give one of them as --text_column`,
    );
  }
  const value = (row as Record<string, unknown>)[column];
  if (value === null) return undefined;
  if (typeof value === "string") return stringSource(value);
  throw fault(`its field "${column}" holds ${kindOf(value)}, not text; give another --text_column`);
}

/** Lists names in an error, up to a dozen. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, 12).map((name) => `"${printable(name, 40)}"`).join(", ");
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return value === null ? "null" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}
