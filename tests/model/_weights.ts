/** A model folder's weights as numbers. */
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Weights } from "../reference/neox.ts";

/** Reads weights when they are asked for, and keeps them. */
export function weightsOf({ tensors }: ModelFolder): Weights {
  const known = new Map<string, Float64Array>();
  return (name) => {
    const numbers = known.get(name) ?? read(name);
    known.set(name, numbers);
    return numbers;
  };

  function read(name: string): Float64Array {
    const { file, offset, bytes, dtype } = tensors.get(name)!;
    using opened = Deno.openSync(file);
    opened.seekSync(offset, Deno.SeekMode.Start);
    const data = new Uint8Array(bytes);
    for (let at = 0; at < bytes;) at += opened.readSync(data.subarray(at)) ?? bytes;
    switch (dtype) {
      case "float32":
        return Float64Array.from(new Float32Array(data.buffer));
      case "float16":
        return Float64Array.from(new Float16Array(data.buffer));
      case "bfloat16": { // the upper half of a float32
        const bits = Uint32Array.from(new Uint16Array(data.buffer), (half) => half << 16);
        return Float64Array.from(new Float32Array(bits.buffer));
      }
      default:
        throw new Error(`${name} is ${dtype}`);
    }
  }
}
