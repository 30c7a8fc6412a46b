import { printable } from "../../util/printable.ts";
import { NotRegular, openRegularSync } from "../../util/regular_file.ts";
import { InputError } from "../../util/errors.ts";
import { whyUnreadable } from "../folder/files.ts";
import { describeShape } from "../folder/json_file.ts";
import { Cursor, type GgufValue, NeedsMore } from "./cursor.ts";
import { type Fail, failOf } from "./fail.ts";
import { GGUF_TYPES, type GgufType, typeName } from "./types.ts";

/** Largest header, bytes. One of 262,144 tokens and as many merges has 20 MB. */
const MOST_HEADER = 64 * 2 ** 20;
/** Read at first, bytes. */
const FIRST = 4 * 2 ** 20;
/** llama.cpp's limit on a tensor's dimensions. */
const MOST_DIMENSIONS = 4;

/** A tensor of a GGUF file. */
export interface GgufTensor {
  readonly type: GgufType;
  /** Sizes of its dimensions, the rows first, as in safetensors; GGUF has them the other way round. */
  readonly shape: readonly number[];
  /** First byte in the file. */
  readonly offset: number;
  /** Size, bytes. */
  readonly bytes: number;
}

/** What a GGUF file says of itself; its weights are not read. */
export interface GgufHeader {
  /** Path of the file. */
  readonly file: string;
  /** Key → value. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Name → tensor. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Reads the header of a GGUF file: versions 2 and 3, little-endian. Checks that its tensors lie in the file and do not
 * overlap.
 *
 * @example
 * ```ts
 * import { readGgufHeader } from "./header.ts";
 *
 * const file = await Deno.makeTempFile({ suffix: ".gguf" });
 * await Deno.writeFile(file, new TextEncoder().encode("GGUF\x03".padEnd(24, "\0"))); // version 3, nothing in it
 * console.log(readGgufHeader(file).tensors.size); // 0
 * await Deno.remove(file);
 * ```
 *
 * @param file Path of the file.
 * @returns Metadata and tensors.
 * @throws {InputError} If it is no such file, damaged, truncated, or has tensors of a type that is not read.
 */
export function readGgufHeader(file: string): GgufHeader {
  const fail = failOf(file);
  try {
    using handle = openRegularSync(file);
    const { size } = handle.statSync();
    for (let length = Math.min(size, FIRST);; length = Math.min(size, 4 * length)) {
      if (length > MOST_HEADER) fail(`its header has more than ${MOST_HEADER / 2 ** 20} MiB: it is damaged`);
      const bytes = new Uint8Array(length);
      handle.seekSync(0, Deno.SeekMode.Start);
      for (let at = 0; at < length;) {
        at += handle.readSync(bytes.subarray(at)) ?? fail("it became shorter while it was read");
      }
      try {
        return { file, ...parse(new Cursor(bytes, size, fail)) };
      } catch (error) {
        if (!(error instanceof NeedsMore)) throw error;
      }
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    return fail(error instanceof NotRegular ? error.message : whyUnreadable(file, error), error);
  }
}

function parse(cursor: Cursor): Omit<GgufHeader, "file"> {
  const { fail, size } = cursor;
  if (cursor.u32("the file's mark") !== 0x46554747) fail("it does not begin with GGUF: it is no GGUF file");
  const version = cursor.u32("the version");
  if (version === 0x02000000 || version === 0x03000000) {
    fail("it is big-endian; convert it again on or for a little-endian machine");
  }
  if (version !== 2 && version !== 3) fail(`it has version ${version}; 2 and 3 are read`);
  const count = cursor.count("tensors", 24);
  const pairs = cursor.count("metadata entries", 13);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < pairs; i++) {
    const key = cursor.string("a key");
    if (metadata.has(key)) fail(`it has the key "${printable(key, 100)}" twice: it is damaged`);
    metadata.set(key, cursor.value(`"${printable(key, 100)}"`));
  }
  const listed: { readonly name: string; readonly dims: number[]; readonly type: number; readonly at: number }[] = [];
  for (let i = 0; i < count; i++) {
    const name = cursor.string("a tensor's name");
    const dimensions = cursor.u32("a tensor's dimensions");
    if (dimensions > MOST_DIMENSIONS) {
      fail(`tensor "${printable(name, 100)}" has ${dimensions} dimensions: it is damaged`);
    }
    const dims = Array.from({ length: dimensions }, () => cursor.u64("a tensor's size"));
    listed.push({ name, dims, type: cursor.u32("a tensor's type"), at: cursor.u64("a tensor's offset") });
  }
  const start = alignedUp(cursor.at, alignmentOf(metadata, fail));
  const tensors = new Map<string, GgufTensor>();
  for (const { name, dims, type, at } of listed) {
    const shown = `tensor "${printable(name, 100)}"`;
    if (tensors.has(name)) fail(`it has ${shown} twice: it is damaged`);
    tensors.set(name, placed(shown, dims, type, start + at, size, fail));
  }
  checkOverlap(tensors, fail);
  return { metadata, tensors };
}

function placed(
  shown: string,
  dims: readonly number[],
  typeNumber: number,
  offset: number,
  size: number,
  fail: Fail,
): GgufTensor {
  const type = GGUF_TYPES.get(typeNumber);
  if (!type) {
    const read = [...GGUF_TYPES.values()].map(({ name }) => name).join(", ");
    return fail(`${shown} is ${typeName(typeNumber)}; those read are ${read}`);
  }
  const shape = [...dims].reverse();
  const count = dims.reduce((a, b) => a * b, 1);
  const row = dims[0] ?? 1;
  if (!Number.isSafeInteger(count)) fail(`${shown} claims a shape of ${describeShape(shape)}: it is damaged`);
  if (row % type.count) {
    fail(`${shown} has rows of ${row} numbers, not a multiple of ${type.name}'s ${type.count}: it is damaged`);
  }
  const bytes = count / type.count * type.bytes;
  if (!Number.isSafeInteger(offset) || offset + bytes > size) {
    fail(`${shown} ends at byte ${offset + bytes}, the file has ${size}: it is truncated, download it again`);
  }
  return { type, shape, offset, bytes };
}

function checkOverlap(tensors: ReadonlyMap<string, GgufTensor>, fail: Fail): void {
  let end = 0;
  for (
    const [name, { offset, bytes }] of [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes)
  ) {
    if (offset < end) {
      fail(`tensor "${printable(name, 100)}" begins at byte ${offset}, inside the one before it, which ends at ${end}`);
    }
    end = offset + bytes;
  }
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, fail: Fail): number {
  const alignment = metadata.get("general.alignment") ?? 32;
  if (
    typeof alignment === "number" && alignment >= 1 && alignment <= 2 ** 20 && Number.isInteger(Math.log2(alignment))
  ) {
    return alignment;
  }
  return fail(`its "general.alignment" is no power of two up to 1 MiB: it is damaged`);
}

function alignedUp(at: number, alignment: number): number {
  return Math.ceil(at / alignment) * alignment;
}
