import { InputError } from "../../util/errors.ts";
import { describe, isObject } from "./json_file.ts";

/**
 * Reads fields of a config.json. Errors name the file and the field. A field that is null counts as missing, as in
 * transformers, which writes these files.
 *
 * @example
 * ```ts
 * import { ConfigReader } from "./config_reader.ts";
 *
 * const config = new ConfigReader("config.json", { hidden_size: 256, rope_scaling: null });
 * console.log(config.integer("hidden_size"), config.has("rope_scaling")); // 256 false
 * ```
 */
export class ConfigReader {
  /**
   * @param file The file's name in messages.
   * @param fields The file's fields.
   */
  constructor(readonly file: string, readonly fields: Readonly<Record<string, unknown>>) {}

  /** Whether the field exists and is not null. */
  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  /** Returns a nested object, or undefined if it is missing. */
  object(name: string): ConfigReader | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) return this.fail(name, "an object");
    return new ConfigReader(`${this.file}, ${name}`, value);
  }

  /** Returns a whole number, from 1 to 2^31 - 1 by default. */
  integer(name: string, { fallback, least = 1, most = 2 ** 31 - 1 }: NumberOptions = {}): number {
    const value = this.#value(name) ?? fallback;
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      return this.fail(name, `a whole number from ${least} to ${most}`);
    }
    return value;
  }

  /** Returns a finite number. */
  number(name: string, { fallback, least = -Infinity, most = Infinity }: NumberOptions = {}): number {
    const value = this.#value(name) ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value) || value < least || value > most) {
      const range = most < Infinity ? ` from ${least} to ${most}` : least > -Infinity ? ` of at least ${least}` : "";
      return this.fail(name, `a number${range}`);
    }
    return value;
  }

  /** Returns true or false. */
  boolean(name: string, fallback?: boolean): boolean {
    const value = this.#value(name) ?? fallback;
    return typeof value === "boolean" ? value : this.fail(name, "true or false");
  }

  /** Returns a string. */
  string(name: string, fallback?: string): string {
    const value = this.#value(name) ?? fallback;
    return typeof value === "string" ? value : this.fail(name, "a string");
  }

  /** Throws an error that names the field, the expected value and the one found. */
  fail(name: string, expected: string): never {
    throw new InputError(
      `Cannot use ${this.file}: field "${name}" must be ${expected}, found ${describe(this.#own(name))}`,
    );
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
  }

  #value(name: string): unknown {
    return this.#own(name) ?? undefined;
  }
}

/** Limits of a number. They keep a nonsense number from becoming a table of that many entries. */
export interface NumberOptions {
  /** The value if the field is missing; without it the field is required. */
  readonly fallback?: number;
  /** Smallest allowed. */
  readonly least?: number;
  /** Largest allowed. */
  readonly most?: number;
}
