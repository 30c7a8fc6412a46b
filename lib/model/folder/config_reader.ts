import { InputError } from "../../util/errors.ts";
import { describe, isObject } from "./json_file.ts";

/**
 * Reads fields of a config.json; what is wrong is said with the file's and the field's name. A field that is null
 * counts as missing, as it does where these files come from.
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
   * @param file What messages call it.
   * @param fields The file's fields.
   */
  constructor(readonly file: string, readonly fields: Readonly<Record<string, unknown>>) {}

  /** Whether the field is there and not null. */
  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  /** A nested object, or undefined where it is missing. */
  object(name: string): ConfigReader | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) return this.fail(name, "an object");
    return new ConfigReader(`${this.file}, ${name}`, value);
  }

  /** A whole number, from 1 to 2^31 - 1 if nothing else is said. */
  integer(name: string, { fallback, least = 1, most = 2 ** 31 - 1 }: NumberOptions = {}): number {
    const value = this.#value(name) ?? fallback;
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      return this.fail(name, `a whole number from ${least} to ${most}`);
    }
    return value;
  }

  /** A finite number. */
  number(name: string, { fallback, least = -Infinity, most = Infinity }: NumberOptions = {}): number {
    const value = this.#value(name) ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value) || value < least || value > most) {
      const range = most < Infinity ? ` from ${least} to ${most}` : least > -Infinity ? ` of at least ${least}` : "";
      return this.fail(name, `a number${range}`);
    }
    return value;
  }

  /** True or false. */
  boolean(name: string, fallback?: boolean): boolean {
    const value = this.#value(name) ?? fallback;
    return typeof value === "boolean" ? value : this.fail(name, "true or false");
  }

  /** A string. */
  string(name: string, fallback?: string): string {
    const value = this.#value(name) ?? fallback;
    return typeof value === "string" ? value : this.fail(name, "a string");
  }

  /** Throws that a field is not what it has to be. */
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

/** What a number may be. Limits keep a nonsense number from becoming a table of that many entries. */
export interface NumberOptions {
  /** The value where the field is missing; without it the field must be there. */
  readonly fallback?: number;
  /** Smallest allowed. */
  readonly least?: number;
  /** Largest allowed. */
  readonly most?: number;
}
