import { openRegularSync } from "../../util/regular_file.ts";
import { failOf } from "./fail.ts";
import type { GgufHeader } from "./header.ts";

/**
 * Reads bytes of a file.
 *
 * @param handle The open file.
 * @param path Its path.
 * @param offset First byte.
 * @param into Filled.
 * @throws {InputError} If the file ends before.
 */
export function readAt(handle: Deno.FsFile, path: string, offset: number, into: Uint8Array): void {
  handle.seekSync(offset, Deno.SeekMode.Start);
  for (let at = 0; at < into.length;) {
    at += handle.readSync(into.subarray(at)) ?? failOf(path)("it became shorter while it was read");
  }
}

/**
 * Returns the numbers of a small tensor of type F32.
 *
 * @throws {InputError} If it has another type, or more than a head's numbers.
 */
export function numbersOf({ file, tensors }: GgufHeader, name: string): Float32Array {
  const { type, offset, bytes } = tensors.get(name)!;
  if (type.name !== "F32" || bytes > 2 ** 20) failOf(file)(`tensor ${name} is not a short list of F32 numbers`);
  const into = new Uint8Array(bytes);
  using handle = openRegularSync(file);
  readAt(handle, file, offset, into);
  return new Float32Array(into.buffer);
}
