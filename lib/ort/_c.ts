/**
 * Conversions between JavaScript values and C memory.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Returns a zero-terminated UTF-8 string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text + "\0");
}

/**
 * Returns a `const char* const*`: pointers, then the strings they point to, in one block that keeps all of it alive.
 */
export function cStrings(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const strings = texts.map(cString);
  const block = new Uint8Array(new ArrayBuffer(strings.reduce((sum, { length }) => sum + length, 8 * texts.length)));
  const start = Deno.UnsafePointer.value(Deno.UnsafePointer.of(block));
  const pointers = new BigUint64Array(block.buffer, 0, texts.length);
  let at = pointers.byteLength;
  strings.forEach((string, i) => {
    pointers[i] = start + BigInt(at);
    block.set(string, at);
    at += string.length;
  });
  return block;
}

/** Returns room for one pointer that a C function fills in. */
export function outPointer(): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(1);
}

/** Returns the pointer that was written to {@linkcode outPointer}. */
export function pointerAt(out: BigUint64Array): Deno.PointerValue {
  return Deno.UnsafePointer.create(out[0]!);
}

/** Returns the C string at a pointer; empty for null. */
export function stringAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** Returns the `count` C strings of a `char**`. */
export function stringsAt(pointer: Deno.PointerValue, count: number): string[] {
  if (pointer === null) return [];
  const view = new Deno.UnsafePointerView(pointer);
  return Array.from({ length: count }, (_, i) => stringAt(view.getPointer(8 * i)));
}
