import type { Fail } from "./fail.ts";

/** More bytes of the file are needed. */
export class NeedsMore extends Error {
  override readonly name = "NeedsMore";
}

/** A value of the metadata. Whole numbers of 64 bits are numbers too; above 2^53 they are rounded. */
export type GgufValue = number | boolean | string | GgufArray;

/** Values of one kind. */
export type GgufArray = Float64Array | readonly string[] | readonly boolean[];

/** Longest text, bytes. Chat templates of 100 kB exist. */
const LONGEST = 4 * 2 ** 20;
/** Longest list of the metadata: four times the largest vocabulary. */
const MOST_VALUES = 2 ** 22;

/** Number of a scalar's type → its size in bytes, and how it is read. */
const SCALARS: ReadonlyMap<number, readonly [bytes: number, read: (view: DataView, at: number) => number]> = new Map([
  [0, [1, (view, at) => view.getUint8(at)]],
  [1, [1, (view, at) => view.getInt8(at)]],
  [2, [2, (view, at) => view.getUint16(at, true)]],
  [3, [2, (view, at) => view.getInt16(at, true)]],
  [4, [4, (view, at) => view.getUint32(at, true)]],
  [5, [4, (view, at) => view.getInt32(at, true)]],
  [6, [4, (view, at) => view.getFloat32(at, true)]],
  [10, [8, (view, at) => Number(view.getBigUint64(at, true))]],
  [11, [8, (view, at) => Number(view.getBigInt64(at, true))]],
  [12, [8, (view, at) => view.getFloat64(at, true)]],
]);
const BOOLEAN = 7, STRING = 8, ARRAY = 9;

/**
 * Reads the values of a GGUF header, one after the other. Every count is checked against the bytes that the file has,
 * before anything of that size is made.
 */
export class Cursor {
  /** The next byte. */
  at = 0;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder();

  /**
   * @param bytes The file's first bytes.
   * @param size The file's size, bytes.
   * @param fail Reports that the file is damaged.
   */
  constructor(readonly bytes: Uint8Array, readonly size: number, readonly fail: Fail) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Returns a whole number of 32 bits. */
  u32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), true);
  }

  /** Returns a whole number of 64 bits; it may be rounded. */
  u64(what: string): number {
    return Number(this.#view.getBigUint64(this.#take(8, what), true));
  }

  /** Returns a number of things that each take at least some bytes of the rest of the file. */
  count(what: string, least: number): number {
    const count = this.u64(what);
    const left = this.size - this.at;
    if (count * least <= left) return count;
    return this.fail(`it claims ${count} ${what}, and has ${left} bytes left: it is damaged or truncated`);
  }

  /** Returns a text. */
  string(what: string): string {
    const length = this.count(`bytes of ${what}`, 1);
    if (length > LONGEST) this.fail(`it claims ${length} bytes of ${what}: it is damaged`);
    const at = this.#take(length, what);
    return this.#decoder.decode(this.bytes.subarray(at, at + length));
  }

  /** Returns a value of the metadata, its type's number before it. */
  value(what: string): GgufValue {
    const type = this.u32(what);
    if (type === ARRAY) return this.#array(what);
    if (type === STRING) return this.string(what);
    if (type === BOOLEAN) return this.bytes[this.#take(1, what)] !== 0;
    const [bytes, read] = SCALARS.get(type) ?? this.fail(`${what} has type ${type}, which there is not: it is damaged`);
    return read(this.#view, this.#take(bytes, what));
  }

  #array(what: string): GgufArray {
    const type = this.u32(what);
    if (type === STRING) {
      const count = this.#listed(what, 8);
      const strings: string[] = [];
      for (let i = 0; i < count; i++) strings.push(this.string(what));
      return strings;
    }
    if (type === BOOLEAN) {
      const count = this.#listed(what, 1);
      const at = this.#take(count, what);
      return Array.from(this.bytes.subarray(at, at + count), (byte) => byte !== 0);
    }
    const [bytes, read] = SCALARS.get(type) ??
      this.fail(`${what} is a list of type ${type}, which is not read here: it is damaged, or of a newer kind`);
    const count = this.#listed(what, bytes);
    const at = this.#take(count * bytes, what);
    return Float64Array.from({ length: count }, (_, i) => read(this.#view, at + i * bytes));
  }

  #listed(what: string, least: number): number {
    const count = this.count(`values in ${what}`, least);
    if (count > MOST_VALUES) this.fail(`it claims ${count} values in ${what}, more than any model has: it is damaged`);
    return count;
  }

  /** Goes past some bytes; returns where they begin. */
  #take(bytes: number, what: string): number {
    const { at } = this;
    if (at + bytes > this.size) this.fail(`it ends within ${what}: it is truncated, download it again`);
    if (at + bytes > this.bytes.length) throw new NeedsMore();
    this.at += bytes;
    return at;
  }
}
