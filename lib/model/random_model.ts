import { join } from "@std/path";
import { DTYPES } from "../dtype.ts";
import { Graph, type Tensor } from "../onnx/graph.ts";
import { ConfigReader } from "./config_reader.ts";
import { emitDecoder } from "./decoder.ts";
import { specOf } from "./model_folder.ts";

/**
 * Writes a model folder with random weights of a given shape: for measuring speed and memory, which do not depend on
 * what the weights say. Perplexity and accuracy of such a model mean nothing.
 *
 * Matrices are normal with a deviation of 0.02, norms' weights 1 and biases 0, so that activations stay in the range
 * of float16. All tensors are in one file; a block of a million numbers is drawn once and repeated.
 *
 * @param config What config.json is to hold.
 * @param folder Where to; made if it is not there.
 * @param seed Of the weights.
 * @returns Bytes of the weights.
 */
export function writeRandomModel(
  config: Readonly<Record<string, unknown>>,
  folder: string,
  dtype: "float32" | "float16" | "bfloat16" = "float16",
  seed = 0,
): number {
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(join(folder, "config.json"), JSON.stringify(config, null, 2) + "\n");
  const tensors = weightShapes(config);
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [name, shape] of tensors) {
    const bytes = shape.reduce((a, b) => a * b, DTYPES[dtype].bytes);
    header[name] = { dtype: SAFETENSORS_NAMES[dtype], shape, data_offsets: [offset, offset += bytes] };
  }
  const json = JSON.stringify(header);
  // The header is padded with spaces so that tensors begin at a multiple of 8.
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  using file = Deno.openSync(join(folder, "model.safetensors"), { write: true, create: true, truncate: true });
  writeAll(file, new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer));
  writeAll(file, text);
  const block = new Uint8Array(encode(normal(BLOCK, seed).map((x) => 0.02 * x), dtype).buffer);
  for (const [name, shape] of tensors) {
    const count = shape.reduce((a, b) => a * b, 1);
    if (shape.length === 1) {
      const value = /norm.*weight$|ln_.*weight$/.test(name) ? 1 : 0;
      writeAll(file, new Uint8Array(encode(new Float64Array(count).fill(value), dtype).buffer));
      continue;
    }
    for (let left = count * DTYPES[dtype].bytes; left > 0; left -= block.length) {
      writeAll(file, left < block.length ? block.subarray(0, left) : block);
    }
  }
  return offset;
}

/** A prime, so that rows of a matrix are not equal. */
const BLOCK = 1_048_583;

const SAFETENSORS_NAMES = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const;

/** Names and shapes of the weights that the decoder of a config asks for. */
export function weightShapes(config: Readonly<Record<string, unknown>>): Map<string, readonly number[]> {
  const spec = specOf(new ConfigReader("config", config));
  const g = new Graph("shapes", 24);
  const shapes = new Map<string, readonly number[]>();
  emitDecoder(g, spec, {
    get: (name, shape) => {
      shapes.set(name, shape);
      return name as Tensor;
    },
  }, { dtype: "float32", device: "cpu", attention: "fused", positions: 1, groups: new Array(spec.layers).fill(0) });
  return shapes;
}

/** Standard normal numbers (Box and Muller) from a small generator with a seed (mulberry32). */
function normal(count: number, seed: number): Float64Array {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

function encode(numbers: Float64Array, dtype: "float32" | "float16" | "bfloat16"): { readonly buffer: ArrayBuffer } {
  if (dtype === "float16") return Float16Array.from(numbers) as unknown as { buffer: ArrayBuffer };
  const singles = Float32Array.from(numbers);
  if (dtype === "float32") return singles;
  return Uint16Array.from(new Uint32Array(singles.buffer), (bits) => bits >>> 16); // truncated: random either way
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

