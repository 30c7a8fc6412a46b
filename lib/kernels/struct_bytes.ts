/** Bytes of a C structure, field by field in its order, each aligned to its own size as C does. */
export class StructBytes {
  readonly #view: DataView<ArrayBuffer>;
  #at = 0;

  /** `size`: bytes of the structure, `sizeof` in C. */
  constructor(readonly size: number) {
    this.#view = new DataView(new ArrayBuffer(size));
  }

  /** Writes pointers; null for an omitted one. */
  pointers(...values: (Deno.PointerValue | undefined)[]): this {
    for (const value of values) {
      const at = this.#field(8);
      this.#view.setBigUint64(at, value ? Deno.UnsafePointer.value(value) : 0n, true);
    }
    return this;
  }

  /** `long long`s. */
  longs(...values: number[]): this {
    for (const value of values) this.#view.setBigInt64(this.#field(8), BigInt(value), true);
    return this;
  }

  /** `int`s. */
  ints(...values: number[]): this {
    for (const value of values) this.#view.setInt32(this.#field(4), value, true);
    return this;
  }

  /** `float`s. */
  floats(...values: number[]): this {
    for (const value of values) this.#view.setFloat32(this.#field(4), value, true);
    return this;
  }

  /** Continues at a byte: after an array of which not all elements were written. */
  skipTo(at: number): this {
    if (at < this.#at) throw new RangeError(`Cannot go back from byte ${this.#at} to ${at}`);
    this.#at = at;
    return this;
  }

  /** Returns the bytes. @throws {RangeError} If fields are missing. */
  bytes(): Uint8Array<ArrayBuffer> {
    if (Math.ceil(this.#at / 8) * 8 !== this.size) {
      throw new RangeError(`Cannot use a structure of ${this.#at} bytes: it has ${this.size}`);
    }
    return new Uint8Array(this.#view.buffer);
  }

  #field(bytes: number): number {
    const at = Math.ceil(this.#at / bytes) * bytes;
    this.#at = at + bytes;
    return at;
  }
}
