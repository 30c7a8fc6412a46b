import { printable } from "../../util/printable.ts";
import type { GgufValue } from "./cursor.ts";
import { type Fail, failOf } from "./fail.ts";
import type { GgufHeader } from "./header.ts";

/** Reads values of a GGUF file's metadata. Errors name the file and the key. */
export class Metadata {
  /** Reports that the file cannot be read. */
  readonly fail: Fail;
  readonly #values: ReadonlyMap<string, GgufValue>;

  /** @param header The file's header. */
  constructor({ file, metadata }: GgufHeader) {
    this.fail = failOf(file);
    this.#values = metadata;
  }

  /** Whether there is such a key. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** Returns a whole number from 0. */
  integer(key: string, fallback?: number): number {
    const value = this.#values.get(key) ?? fallback;
    return Number.isSafeInteger(value) && value as number >= 0 ? value as number : this.#refuse(key, "a whole number");
  }

  /** Returns a finite number; one stored in float32 as the shortest decimal number that gives it. */
  number(key: string, fallback?: number): number {
    const value = this.#values.get(key) ?? fallback;
    return typeof value === "number" && Number.isFinite(value) ? shortest(value) : this.#refuse(key, "a number");
  }

  /** Returns a text. */
  string(key: string, fallback?: string): string {
    const value = this.#values.get(key) ?? fallback;
    return typeof value === "string" ? value : this.#refuse(key, "a text");
  }

  /** Returns true or false. */
  boolean(key: string, fallback: boolean): boolean {
    const value = this.#values.get(key) ?? fallback;
    return typeof value === "boolean" ? value : this.#refuse(key, "true or false");
  }

  /** Returns a list of texts. */
  strings(key: string): readonly string[] {
    const value = this.#values.get(key);
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
    return this.#refuse(key, "a list of texts");
  }

  /** Returns a list of numbers. */
  numbers(key: string): Float64Array {
    const value = this.#values.get(key);
    return value instanceof Float64Array ? value : this.#refuse(key, "a list of numbers");
  }

  #refuse(key: string, expected: string): never {
    const value = this.#values.get(key);
    const found = value === undefined
      ? "nothing"
      : typeof value === "string"
      ? `"${printable(value, 100)}"`
      : typeof value === "object"
      ? `a list of ${value.length}`
      : String(value);
    return this.fail(`"${key}" must be ${expected}, found ${found}`);
  }
}

/** 1e-5 rather than float32's 0.000009999999747378752. */
function shortest(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
}
