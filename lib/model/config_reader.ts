import { InputError } from "../errors.ts";

/** Reads fields of a config.json; what is wrong is said with the file's and the field's name. */
export class ConfigReader {
  constructor(readonly file: string, readonly fields: Readonly<Record<string, unknown>>) {}

  /** Whether the field is there and not null. */
  has(name: string): boolean {
    return this.fields[name] !== undefined && this.fields[name] !== null;
  }

  /** A nested object, or undefined where it is missing or null. */
  object(name: string): ConfigReader | undefined {
    if (!this.has(name)) return undefined;
    const value = this.fields[name];
    if (typeof value !== "object" || Array.isArray(value)) this.fail(name, "an object");
    return new ConfigReader(`${this.file}, ${name}`, value as Record<string, unknown>);
  }

  /** A whole number of at least `least`. */
  integer(name: string, fallback?: number, least = 1): number {
    const value = this.number(name, fallback);
    if (!Number.isSafeInteger(value) || value < least) this.fail(name, `a whole number of at least ${least}`);
    return value;
  }

  /** A finite number. */
  number(name: string, fallback?: number): number {
    const value = this.has(name) ? this.fields[name] : fallback;
    if (typeof value !== "number" || !Number.isFinite(value)) this.fail(name, "a number");
    return value as number;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.has(name) ? this.fields[name] : fallback;
    if (typeof value !== "boolean") this.fail(name, "true or false");
    return value as boolean;
  }

  string(name: string, fallback?: string): string {
    const value = this.has(name) ? this.fields[name] : fallback;
    if (typeof value !== "string") this.fail(name, "a string");
    return value as string;
  }

  /** Throws that a field is not what it has to be. */
  fail(name: string, expected: string): never {
    const found = name in this.fields ? JSON.stringify(this.fields[name]) : "nothing";
    throw new InputError(`Cannot use ${this.file}: field "${name}" must be ${expected}, found ${found}`);
  }
}
