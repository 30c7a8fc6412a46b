import { InputError } from "../../util/errors.ts";
import { notJson, printable } from "../../util/printable.ts";
import { readRegularSync } from "../../util/regular_file.ts";
import { whyUnreadable } from "./files.ts";

/** Largest file that is read, bytes: the index of a checkpoint of 10,000 tensors has 1 MB. */
const MOST = 64 * 2 ** 20;

/**
 * Reads a file that holds one JSON object.
 *
 * @example
 * ```ts
 * import { readJsonObject } from "./json_file.ts";
 *
 * const config = readJsonObject("lib/assets/novel-neox-8m/config.json");
 * console.log(config.model_type); // "gpt_neox"
 * ```
 *
 * @param file Path of the file.
 * @returns Its fields. If two fields have one name, the last counts, as in Python's `json`.
 * @throws {InputError} If it cannot be read, or holds something else.
 */
export function readJsonObject(file: string): Record<string, unknown> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = readRegularSync(file, MOST);
  } catch (cause) {
    throw new InputError(`Cannot read ${file}: ${whyUnreadable(file, cause)}`, { cause });
  }
  return parseJsonObject(bytes, `${file}: it`);
}

/**
 * Parses UTF-8 bytes that must be one JSON object.
 *
 * @example
 * ```ts
 * import { parseJsonObject } from "./json_file.ts";
 *
 * const bytes = new TextEncoder().encode('{"a": 1}');
 * console.log(parseJsonObject(bytes, "a.json: it").a); // 1
 * ```
 *
 * @param bytes The text; a byte-order mark before it is skipped.
 * @param what What it is, to be followed by "is not JSON" in a message: "a.json: it".
 * @returns Its fields.
 * @throws {InputError} If the bytes are something else.
 */
export function parseJsonObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InputError(`Cannot read ${what} is not JSON (${notJson(cause)})`, { cause });
  }
  if (!isObject(value)) throw new InputError(`Cannot read ${what} is ${describe(value)}, not a JSON object`);
  return value;
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Formats a tensor's shape briefly, however many dimensions it claims to have. */
export function describeShape(shape: readonly number[]): string {
  return `[${shape.slice(0, 8)}${shape.length > 8 ? ",…" : ""}]`;
}

/**
 * Describes a JSON value briefly for messages, whatever its size and depth.
 *
 * @example
 * ```ts
 * import { describe } from "./json_file.ts";
 *
 * console.log(describe("gelu"), describe([1, 2]), describe({ a: 1 })); // "gelu" [1, 2] an object with 1 field
 * ```
 */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) {
    const items = value.slice(0, 8).map((item) => typeof item === "object" && item !== null ? "…" : describe(item));
    return `[${items.join(", ")}${value.length > 8 ? ", …" : ""}]`;
  }
  if (isObject(value)) {
    const { length } = Object.keys(value);
    return `an object with ${length} ${length === 1 ? "field" : "fields"}`;
  }
  if (typeof value !== "string") return JSON.stringify(value);
  return printable(JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value));
}
