import { DTYPES, type FloatType } from "../util/dtype.ts";
import type { Device, DeviceMemory } from "../ort/device.ts";
import type { Layout } from "./layout.ts";

/** Keys and values of some layers, in two blocks of memory. */
export interface KvBlock {
  readonly layout: Layout;
  readonly keys: DeviceMemory;
  readonly values: DeviceMemory;
}

/** Bytes of one key, or one value, of one head. */
export function entryBytes({ model, stored }: { model: { readonly headDim: number }; stored: FloatType }): number {
  return model.headDim * DTYPES[stored].bytes;
}

/** Bytes allocated for a block. */
export function blockBytes({ keys, values }: KvBlock): number {
  return keys.bytes + values.bytes;
}

/** Allocates the memory of a layout. If memory runs out, frees what it had allocated. */
export function allocateBlock(
  owner: Parameters<typeof entryBytes>[0] & { readonly runtime: { readonly device: Device } },
  layout: Layout,
): KvBlock {
  const { device } = owner.runtime;
  const bytes = layout.slots * entryBytes(owner);
  const keys = device.allocate(bytes);
  try {
    return { layout, keys, values: device.allocate(bytes) };
  } catch (error) {
    keys[Symbol.dispose]();
    throw error;
  }
}

/** Frees a block's memory. */
export function freeBlock({ keys, values }: KvBlock): void {
  keys[Symbol.dispose]();
  values[Symbol.dispose]();
}
