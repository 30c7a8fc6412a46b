import { join } from "@std/path";
import { DTYPES, type FloatType } from "../util/dtype.ts";
import { ConfigReader } from "./folder/config_reader.ts";
import { specOf } from "./folder/model_folder.ts";
import { visitWeights } from "./graph/visit_weights.ts";
import { seededRandom } from "../util/random.ts";

/**
 * Writes a model folder with random weights of a given shape: for measuring speed and memory, which do not depend on
 * the values of weights. Perplexity and accuracy of such a model mean nothing.
 *
 * Matrices are normal with a deviation of 0.02, norms' weights 1 and biases 0, so that activations stay in the range
 * of float16. All tensors are in one file; a block of up to a million numbers is drawn once and repeated.
 *
 * @example
 * ```ts
 * import { writeRandomModel } from "./random_model.ts";
 *
 * const config = {
 *   model_type: "gpt_neox",
 *   hidden_size: 64,
 *   num_hidden_layers: 2,
 *   num_attention_heads: 2,
 *   intermediate_size: 256,
 *   vocab_size: 1000,
 * };
 * const folder = Deno.makeTempDirSync();
 * console.log(writeRandomModel(config, folder)); // 456192, float16's two bytes each
 * Deno.removeSync(folder, { recursive: true });
 * ```
 *
 * @param config Content of config.json.
 * @param folder The folder; created if it does not exist.
 * @param dtype Type of the stored weights.
 * @param seed Seed of the weights.
 * @returns Bytes of the weights.
 * @throws {InputError} If the config is not that of a supported model.
 */
export function writeRandomModel(
  config: Readonly<Record<string, unknown>>,
  folder: string,
  dtype: FloatType = "float16",
  seed = 0,
): number {
  const tensors = weightShapes(config);
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(join(folder, "config.json"), JSON.stringify(config, null, 2) + "\n");
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
  const most = Math.max(...tensors.values().map((shape) => shape.length === 1 ? 0 : elements(shape)));
  const block = encode(normal(Math.min(BLOCK, most), seed).map((x) => 0.02 * x), dtype);
  for (const [name, shape] of tensors) {
    const count = elements(shape);
    if (shape.length === 1) {
      writeAll(file, encode(new Float64Array(count).fill(name.endsWith(".weight") ? 1 : 0), dtype));
      continue;
    }
    for (let left = count * DTYPES[dtype].bytes; left > 0; left -= block.length) {
      writeAll(file, left < block.length ? block.subarray(0, left) : block);
    }
  }
  return offset;
}

const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A prime, so that rows of a matrix are not equal. */
const BLOCK = 1_048_583;

const SAFETENSORS_NAMES = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const;

/** Returns names and shapes of the weights that the decoder of a config uses. */
function weightShapes(config: Readonly<Record<string, unknown>>): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  visitWeights(specOf(new ConfigReader("the config", config)), (name, shape) => shapes.set(name, shape));
  return shapes;
}

/** Standard normal numbers (Box and Muller). */
function normal(count: number, seed: number): Float64Array {
  const uniform = seededRandom(seed);
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** Returns numbers as they are stored. */
function encode(numbers: Float64Array, dtype: FloatType): Uint8Array {
  if (dtype === "float16") return new Uint8Array(Float16Array.from(numbers).buffer);
  const singles = Float32Array.from(numbers);
  if (dtype === "float32") return new Uint8Array(singles.buffer);
  // bfloat16 is float32's upper half; truncated, which is as random as rounded.
  return new Uint8Array(Uint16Array.from(new Uint32Array(singles.buffer), (bits) => bits >>> 16).buffer);
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
