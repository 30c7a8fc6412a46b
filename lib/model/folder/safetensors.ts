import { type DType, DTYPES } from "../../util/dtype.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { openRegularSync } from "../../util/regular_file.ts";
import { whyUnreadable } from "./files.ts";
import { describe, describeShape, isObject, parseJsonObject } from "./json_file.ts";

/** Where a tensor lies. */
export interface StoredTensor {
  /** Element type; undefined if this project does not compute with it, such as F8_E4M3. */
  readonly dtype: DType | undefined;
  /** Element type by safetensors' name. */
  readonly type: string;
  /** Sizes of its dimensions. */
  readonly shape: readonly number[];
  /** Path of the file. */
  readonly file: string;
  /** First byte in the file; need not be aligned. */
  readonly offset: number;
  /** Size, bytes. */
  readonly bytes: number;
}

/** safetensors' names of element types. */
const TYPES: ReadonlyMap<string, DType> = new Map([
  ["F64", "float64"],
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["U8", "uint8"],
  ["I8", "int8"],
  ["BOOL", "bool"],
]);

/** The format's limit on a header, bytes. */
const MAX_HEADER = 100_000_000;

/**
 * Reads the header of a safetensors file: 8 bytes of header length, JSON, then the tensors' bytes. The weights
 * themselves are not read. Checks the format's rules as its reference implementation does: tensors follow each other
 * without gap or overlap from the end of the header to the end of the file.
 *
 * @example
 * ```ts
 * import { readSafetensorsHeader } from "./safetensors.ts";
 *
 * const tensors = readSafetensorsHeader("lib/assets/novel-neox-8m/model.safetensors");
 * const { dtype, shape } = tensors.get("embed_out.weight")!;
 * console.log(dtype, shape); // float16 [ 4096, 256 ]
 * ```
 *
 * @param file Path of the file.
 * @returns Name → where the tensor lies.
 * @throws {InputError} If the file is missing or truncated, or its header is not JSON, contradicts itself or points
 * outside the file.
 */
export function readSafetensorsHeader(file: string): Map<string, StoredTensor> {
  const fail = (what: string, cause?: unknown): never => {
    throw new InputError(`Cannot read ${file}: ${what}`, { cause });
  };
  const { text, size } = readHeader(file, fail);
  const start = 8 + text.length;
  const header = parseJsonObject(text, `${file}: its header`);
  if (hasDuplicateKeys(text, header)) fail("its header gives one name twice");

  const tensors = new Map<string, StoredTensor>();
  for (const [key, entry] of Object.entries(header)) {
    if (key === "__metadata__") continue;
    const name = shown(key);
    const { dtype: type, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
    if (typeof type !== "string") return fail(`tensor "${name}" has dtype ${describe(type)}, not a type's name`);
    if (!isSizes(shape)) return fail(`tensor "${name}" has shape ${describe(shape)}, not a list of sizes`);
    if (!isSizes(offsets) || offsets.length !== 2) {
      return fail(`tensor "${name}" has data_offsets ${describe(offsets)}, not [begin, end] in bytes`);
    }
    const [begin, end] = offsets as [number, number];
    if (begin > end) fail(`tensor "${name}" ends at byte ${end} of the data, before it begins at ${begin}`);
    if (start + end > size) {
      fail(`tensor "${name}" ends at byte ${start + end}, the file has ${size}: it is truncated, download it again`);
    }
    const dtype = TYPES.get(type);
    const bytes = end - begin;
    const wanted = dtype && shape.reduce((a, b) => a * b, DTYPES[dtype].bytes);
    if (wanted !== undefined && wanted !== bytes) {
      fail(
        `tensor "${name}" is ${printable(type, 100)}${
          describeShape(shape)
        }, ${wanted} bytes, but has ${bytes} in the file`,
      );
    }
    tensors.set(key, { dtype, type, shape, file, offset: start + begin, bytes });
  }

  let at = start;
  for (
    const [key, { offset, bytes }] of [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes)
  ) {
    const name = shown(key);
    if (offset < at) fail(`tensor "${name}" begins at byte ${offset}, inside the one before it, which ends at ${at}`);
    if (offset > at) fail(`bytes ${at} to ${offset}, before tensor "${name}", belong to no tensor`);
    at = offset + bytes;
  }
  if (at < size) fail(`its last ${size - at} bytes belong to no tensor`);
  return tensors;
}

/** Formats a tensor's name for a message; long or unprintable ones are cut short or escaped. */
function shown(name: string): string {
  return name.length <= 100 && !/[^\x20-\x7e]/.test(name) ? name : printable(name, 200);
}

/** Returns the header's bytes and the file's size. */
function readHeader(file: string, fail: (what: string, cause?: unknown) => never): { text: Uint8Array; size: number } {
  try {
    using handle = openRegularSync(file);
    const { size } = handle.statSync();
    const prefix = new Uint8Array(8);
    if (readFully(handle, prefix) < 8) fail(`it has ${size} bytes, too few for a safetensors file`);
    const length = new DataView(prefix.buffer).getBigUint64(0, true);
    if (length > BigInt(Math.min(size - 8, MAX_HEADER))) {
      fail(
        `its header claims ${length} bytes, the file has ${size}: it is truncated or not a safetensors file`,
      );
    }
    const text = new Uint8Array(Number(length));
    if (readFully(handle, text) < text.length) fail("it became shorter while it was read");
    return { text, size };
  } catch (error) {
    if (error instanceof InputError) throw error;
    return fail(whyUnreadable(file, error), error);
  }
}

function readFully(handle: Deno.FsFile, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const n = handle.readSync(into.subarray(done));
    if (n === null) break;
    done += n;
  }
  return done;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** JSON.parse silently takes the last of two equal keys, which may be another tensor than the writer meant. */
function hasDuplicateKeys(text: Uint8Array, value: unknown): boolean {
  // Each key has one colon outside strings; UTF-8 has no ASCII byte inside a longer character.
  const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
  let written = 0, inString = false;
  for (let i = 0; i < text.length; i++) {
    if (inString && text[i] === BACKSLASH) i++;
    else if (text[i] === QUOTE) inString = !inString;
    else if (!inString && text[i] === COLON) written++;
  }
  let parsed = 0;
  for (const open = [value]; open.length > 0;) {
    const next = open.pop();
    if (typeof next !== "object" || next === null) continue;
    if (!Array.isArray(next)) parsed += Object.keys(next).length;
    for (const inner of Object.values(next)) open.push(inner);
  }
  return written !== parsed;
}
