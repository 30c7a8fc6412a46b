/**
 * The JSON between a process and its parent. JSON cannot represent NaN and infinity: `JSON.stringify` turns them into
 * null, which counts as 0 in a sum. Here they are sent as tagged objects, so such a figure arrives unchanged.
 *
 * @module
 */

/** The tag's key. Quotes in a string are escaped, so no string contains the text of a tag. */
const TAG = "$number";

/**
 * Encodes a value as one line of JSON.
 *
 * @example
 * ```ts
 * import { encode } from "./wire.ts";
 *
 * console.log(encode({ nll: [1.5, NaN] })); // {"nll":[1.5,{"$number":"NaN"}]}
 * ```
 *
 * @param value Anything `JSON.stringify` takes.
 * @returns The line, without its end.
 */
export function encode(value: unknown): string {
  // A replacer is called for every element, so it is used only if something must be replaced.
  if (!holdsNonFinite(value)) return JSON.stringify(value);
  return JSON.stringify(
    value,
    (_, each) => typeof each === "number" && !Number.isFinite(each) ? { [TAG]: String(each) } : each,
  );
}

/**
 * Decodes a line made by {@linkcode encode}.
 *
 * @example
 * ```ts
 * import { decode } from "./wire.ts";
 *
 * console.log(decode('{"nll":[1.5,{"$number":"-Infinity"}]}')); // { nll: [ 1.5, -Infinity ] }
 * ```
 *
 * @param line The line.
 * @returns The value.
 * @throws {SyntaxError} If it is not JSON.
 */
export function decode(line: string): unknown {
  if (!line.includes(`{"${TAG}":`)) return JSON.parse(line);
  return JSON.parse(line, (_, each) => isTag(each) ? Number(each[TAG]) : each);
}

function isTag(value: unknown): value is Record<typeof TAG, string> {
  return typeof value === "object" && value !== null && Object.hasOwn(value, TAG) && Object.keys(value).length === 1;
}

function holdsNonFinite(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) ? value.some(holdsNonFinite) : Object.values(value).some(holdsNonFinite);
}
