/** Helpers between JavaScript values and C memory. */

const encoder = new TextEncoder();

/** A zero-terminated UTF-8 string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text + "\0");
}

/** Room for one pointer that a C function fills in. */
export function outPointer(): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(1);
}

/** What was written to {@linkcode outPointer}, as a pointer. */
export function pointerAt(out: BigUint64Array, index = 0): Deno.PointerValue {
  return Deno.UnsafePointer.create(out[index] ?? 0n);
}

/** The C string at a pointer; empty for null. */
export function stringAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** The `count` C strings of a `char**`. */
export function stringsAt(pointer: Deno.PointerValue, count: number): string[] {
  if (pointer === null) return [];
  const view = new Deno.UnsafePointerView(pointer);
  return Array.from({ length: count }, (_, i) => stringAt(view.getPointer(8 * i)));
}
