/**
 * Readers: functions that check a parsed JSON value and give it its type. Small readers are combined to large ones.
 * They pass on the path of the field, so that an error can name it.
 *
 * @module
 */

/** Checks `value`, found at `path`, and returns it typed. Throws TypeError "path: found X, Y is needed". */
export type JsonReader<T> = (value: unknown, path: string) => T;

/** The type that a reader returns. */
export type Read<R> = R extends JsonReader<infer T> ? T : never;

/** A string. */
export const string: JsonReader<string> = (value, path) =>
  typeof value === "string" ? value : fail(value, path, "a string");

/** A number. */
export const number: JsonReader<number> = (value, path) =>
  typeof value === "number" ? value : fail(value, path, "a number");

/** true or false. */
export const boolean: JsonReader<boolean> = (value, path) =>
  typeof value === "boolean" ? value : fail(value, path, "true or false");

/** A measured number. JSON cannot express NaN and infinity: they are stored as null, and null is read as NaN. */
export const figure: JsonReader<number> = (value, path) => value === null ? NaN : number(value, path);

/** One of a few strings. */
export function oneOf<const T extends string>(...words: T[]): JsonReader<T> {
  return (value, path) =>
    words.find((word) => word === value) ?? fail(value, path, words.map((word) => `"${word}"`).join(" or "));
}

/** Either of two. If neither fits, the second one's message is thrown. */
export function either<A, B>(first: JsonReader<A>, second: JsonReader<B>): JsonReader<A | B> {
  return (value, path) => {
    try {
      return first(value, path);
    } catch {
      return second(value, path);
    }
  };
}

/** null, or what `reader` reads. */
export function nullable<T>(reader: JsonReader<T>): JsonReader<T | null> {
  return (value, path) => value === null ? null : reader(value, path);
}

/** An array. */
export function list<T>(item: JsonReader<T>): JsonReader<T[]> {
  return (value, path) =>
    Array.isArray(value) ? value.map((each, index) => item(each, `${path}[${index}]`)) : fail(value, path, "an array");
}

/** An object with any keys. */
export function record<T>(item: JsonReader<T>): JsonReader<Record<string, T>> {
  return (value, path) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, item(each, join(path, key))]))
      : fail(value, path, "an object");
}

/** A field of {@linkcode object} that may be left out. */
export function optional<T>(reader: JsonReader<T>): JsonReader<T | undefined> {
  return (value, path) => value === undefined ? undefined : reader(value, path);
}

/** A reader for every field; {@linkcode optional} for those that may be left out. */
type Fields<T> = {
  [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? JsonReader<T[K] | undefined> : JsonReader<T[K]>;
};

/** An object with these fields. It may have others, which are kept. */
export function object<T extends object>(fields: Fields<T>): JsonReader<T> {
  return (value, path) => {
    if (!isObject(value)) return fail(value, path, "an object");
    const read: Record<string, unknown> = { ...value };
    for (const key of Object.keys(fields) as (keyof T & string)[]) {
      const each = fields[key](value[key], join(path, key));
      if (each !== undefined) read[key] = each;
    }
    return read as T;
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function join(path: string, key: string): string {
  if (!/^[A-Za-z_]\w*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function fail(value: unknown, path: string, needed: string): never {
  const found = value === undefined
    ? "is missing"
    : `is ${Array.isArray(value) ? "an array" : isObject(value) ? "an object" : JSON.stringify(value)}`;
  throw new TypeError(`${path === "" ? "the content" : path} ${found}, ${needed} is needed`);
}
