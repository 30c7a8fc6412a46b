/** Writes safetensors files for tests: valid ones, and invalid ones as a test needs them. */

/** A tensor to be stored, its type by safetensors' name. */
export interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Numbers as a tensor of a float type, rounded to the nearest. */
export function stored(dtype: "F64" | "F32" | "F16" | "BF16", shape: readonly number[], values: Float64Array): Stored {
  return { dtype, shape, data: new Uint8Array(encode(dtype, values).buffer) };
}

function encode(dtype: string, values: Float64Array): { readonly buffer: ArrayBuffer } {
  if (dtype === "F64") return Float64Array.from(values);
  if (dtype === "F32") return Float32Array.from(values);
  if (dtype === "F16") return new Float16Array(values) as unknown as { buffer: ArrayBuffer };
  return Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => {
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16; // to the nearest, ties to even
  });
}

/** What a type makes of numbers: the values that are really stored. */
export function rounded(dtype: "F64" | "F32" | "F16" | "BF16", values: Float64Array): Float64Array {
  if (dtype === "F64") return values;
  const { buffer } = encode(dtype, values);
  if (dtype === "F32") return Float64Array.from(new Float32Array(buffer));
  if (dtype === "F16") return Float64Array.from(new Float16Array(buffer));
  return Float64Array.from(new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer));
}

/** The bytes of a safetensors file. `align` is what the header's length is made a multiple of; 8 by convention. */
export function safetensors(tensors: Readonly<Record<string, Stored>>, align = 8): Uint8Array<ArrayBuffer> {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset += data.length] };
  }
  const text = JSON.stringify(header);
  return withHeader(
    text.padEnd(Math.ceil(text.length / align) * align),
    Object.values(tensors).map(({ data }) => data),
  );
}

/** A header, whatever it says, with its length before it and bytes after it. */
export function withHeader(header: string, body: readonly Uint8Array[] = []): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + body.reduce((sum, { length }) => sum + length, 0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const part of body) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
