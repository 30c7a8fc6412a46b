import { basename } from "@std/path";
import type { DType } from "../dtype.ts";
import { DTYPES } from "../dtype.ts";
import { InputError } from "../errors.ts";

/** Where a tensor lies. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Path of the file. */
  readonly file: string;
  /** First byte in the file. */
  readonly offset: number;
  /** Size, bytes. */
  readonly bytes: number;
}

/** safetensors' names of the element types a decoder's weights come in. Others are kept out of the index. */
const NAMES: Readonly<Record<string, DType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  U8: "uint8",
  I8: "int8",
  BOOL: "bool",
};

/** The format's own limit on a header, bytes. */
const MAX_HEADER = 100_000_000;

/**
 * Reads the header of a safetensors file: 8 bytes of header length, JSON, then the tensors' bytes. The weights
 * themselves are not read.
 *
 * @throws {InputError} If the file is missing or truncated, or its header is not JSON or points outside the file.
 */
export function readSafetensorsHeader(file: string): Map<string, StoredTensor> {
  const fail = (what: string, cause?: unknown): never => {
    throw new InputError(`Cannot read ${file}: ${what}`, { cause });
  };
  let size = 0, start = 0;
  let header: unknown;
  try {
    using handle = Deno.openSync(file);
    size = handle.statSync().size;
    const length = new BigUint64Array(1);
    if (size < 8 || readFully(handle, new Uint8Array(length.buffer)) < 8) {
      fail(`it has ${size} bytes, too few for a safetensors file`);
    }
    if (length[0]! > BigInt(Math.min(size - 8, MAX_HEADER))) {
      fail(`its header is said to be ${length[0]} bytes long, the file has ${size}: truncated, or not a safetensors file`);
    }
    const text = new Uint8Array(Number(length[0]));
    start = 8 + text.length;
    readFully(handle, text);
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof SyntaxError || error instanceof TypeError) fail("its header is not JSON", error);
    if (error instanceof Deno.errors.NotFound) fail("there is no such file", error);
    fail((error as Error).message, error);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) fail("its header is not a JSON object");
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header as Record<string, unknown>)) {
    if (name === "__metadata__") continue;
    const { dtype: type, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (typeof type !== "string" || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
      fail(`its header says of tensor "${name}" ${JSON.stringify(entry)?.slice(0, 200)}, not dtype, shape, data_offsets`);
    }
    const dtype = NAMES[type as string];
    const [from, to] = offsets as [number, number];
    if (from > to) fail(`tensor "${name}" ends at byte ${to}, before it begins at ${from}`);
    if (start + to > size) {
      fail(`tensor "${name}" ends at byte ${start + to}, the file has ${size}: it is truncated, download it again`);
    }
    if (dtype === undefined) continue;
    const bytes = (shape as number[]).reduce((a, b) => a * b, DTYPES[dtype].bytes);
    if (bytes !== to - from) {
      fail(`tensor "${name}" is ${type}[${shape}], ${bytes} bytes, but has ${to - from} in the file`);
    }
    tensors.set(name, { dtype, shape: shape as number[], file, offset: start + from, bytes });
  }
  return tensors;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
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

/**
 * Finds all tensors of a model folder: `model.safetensors`, or the shards `model.safetensors.index.json` names.
 *
 * @throws {InputError} If there is neither, or a shard is missing.
 */
export function readWeights(folder: string): Map<string, StoredTensor> {
  const exists = (name: string) => {
    try {
      return Deno.statSync(`${folder}/${name}`).isFile;
    } catch {
      return false;
    }
  };
  if (exists("model.safetensors")) return readSafetensorsHeader(`${folder}/model.safetensors`);
  const indexFile = `${folder}/model.safetensors.index.json`;
  if (!exists(basename(indexFile))) {
    const others = [...Deno.readDirSync(folder)].map((e) => e.name).filter((n) => /\.(bin|pt|pth|gguf|onnx|safetensors)$/.test(n));
    throw new InputError(
      `Cannot find weights in ${folder}: looked for model.safetensors and model.safetensors.index.json` +
        (others.length ? `, found ${others.slice(0, 5).join(", ")}` : ""),
    );
  }
  let map: unknown;
  try {
    map = JSON.parse(Deno.readTextFileSync(indexFile)).weight_map;
  } catch (cause) {
    throw new InputError(`Cannot read ${indexFile}: it is not JSON`, { cause });
  }
  if (typeof map !== "object" || map === null) throw new InputError(`Cannot use ${indexFile}: field "weight_map" is missing`);
  const tensors = new Map<string, StoredTensor>();
  for (const shard of new Set(Object.values(map))) {
    if (typeof shard !== "string" || /[/\\]/.test(shard)) {
      throw new InputError(`Cannot use ${indexFile}: "weight_map" names ${JSON.stringify(shard)}, not a file beside it`);
    }
    for (const [name, tensor] of readSafetensorsHeader(`${folder}/${shard}`)) tensors.set(name, tensor);
  }
  return tensors;
}
