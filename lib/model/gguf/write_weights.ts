import { openRegularSync } from "../../util/regular_file.ts";
import type { PlannedTensor } from "./plan_tensors.ts";
import { readAt } from "./read_tensor.ts";
import { dequantize } from "./types.ts";

/** Bytes written at once, as far as rows allow. */
const PIECE = 8 * 2 ** 20;

/** Bytes of a number by safetensors' name of its type. */
const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** Returns the size of a tensor in the converted file, bytes. */
export function plannedBytes({ rows, columns, type }: PlannedTensor): number {
  return rows * columns * BYTES[type];
}

/**
 * Writes tensors of a GGUF file as a safetensors file, a piece at a time.
 *
 * @param from Path of the GGUF file.
 * @param to File to write; it must not exist.
 * @param tensors What to write.
 * @param signal Ends it early.
 * @throws The signal's reason, if it was ended.
 */
export async function writeWeights(
  from: string,
  to: string,
  tensors: readonly PlannedTensor[],
  signal?: AbortSignal,
): Promise<void> {
  using source = openRegularSync(from);
  using target = await Deno.open(to, { write: true, createNew: true });
  await writeAll(target, headerOf(tensors));
  for (const tensor of tensors) {
    const unit = tensor.headRows ?? 1;
    const units = Math.max(1, Math.floor(PIECE / (BYTES[tensor.type] * tensor.columns * unit)));
    for (let row = 0; row < tensor.rows; row += unit * units) {
      signal?.throwIfAborted();
      const rows = Math.min(unit * units, tensor.rows - row);
      await writeAll(target, pieceOf(source, from, tensor, row, rows));
    }
  }
  await target.sync();
}

/** The bytes of some rows as they are written. */
function pieceOf(source: Deno.FsFile, path: string, tensor: PlannedTensor, row: number, rows: number): Uint8Array {
  const { source: { type, offset }, firstRow, columns, headRows, lessOne } = tensor;
  const rowBytes = columns / type.count * type.bytes;
  const stored = new Uint8Array(rows * rowBytes);
  readAt(source, path, offset + (firstRow + row) * rowBytes, stored);
  const bytes = type.block ? new Uint8Array(dequantize(type, stored).buffer) : stored;
  if (lessOne) {
    const numbers = new Float32Array(bytes.buffer);
    for (let i = 0; i < numbers.length; i++) numbers[i]! -= 1;
  }
  return headRows === undefined ? bytes : inHalves(bytes, bytes.length / rows, headRows);
}

/**
 * Puts rows of each head into the order of transformers. llama.cpp has the two numbers that are rotated together next
 * to each other, transformers the first ones of all pairs before the second ones.
 */
function inHalves(bytes: Uint8Array, rowBytes: number, headRows: number): Uint8Array {
  const sorted = new Uint8Array(bytes.length);
  const half = headRows / 2;
  for (let row = 0; row < bytes.length / rowBytes; row++) {
    const within = row % headRows;
    const to = row - within + (within % 2) * half + (within >> 1);
    sorted.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), to * rowBytes);
  }
  return sorted;
}

function headerOf(tensors: readonly PlannedTensor[]): Uint8Array {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    header[name] = { dtype: type, shape, data_offsets: [offset, offset += plannedBytes(tensor)] };
  }
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
