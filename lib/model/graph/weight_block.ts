import type { FloatType } from "../../util/dtype.ts";
import type { DeviceMemory } from "../../ort/device.ts";
import { FileFill } from "../../ort/file_fill.ts";
import type { FileRange } from "../../ort/read_pieces.ts";
import type { Runtime } from "../../ort/runtime.ts";
import { Value } from "../../ort/value.ts";
import type { ModelFolder } from "../folder/model_folder.ts";
import type { StoredTensor } from "../folder/safetensors.ts";
import { visitWeights } from "./visit_weights.ts";
import { findWeight } from "./weights.ts";

/** Alignment of a weight, bytes: that of cudaMalloc's blocks. */
const ALIGNMENT = 256;

/** Where a weight lies in a block, and what is read into it. */
export interface WeightPlace extends FileRange {
  readonly name: string;
  readonly stored: StoredTensor;
}

/**
 * Places the weights that a decoder uses and that are stored in the type it computes in, one after the other in the
 * order of the files' bytes. ORT converts the others.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../folder/model_folder.ts";
 * import { placeWeights } from "./weight_block.ts";
 *
 * const { bytes, places } = placeWeights(openModelFolder("lib/assets/novel-neox-8m"), "float16");
 * console.log(places.length, bytes); // 100 weights, 16.8 MB
 * ```
 *
 * @param model The model.
 * @param dtype The type computed in.
 * @returns Where each goes, and the bytes of the block.
 */
export function placeWeights(
  model: ModelFolder,
  dtype: FloatType,
): { readonly bytes: number; readonly places: readonly WeightPlace[] } {
  const found = new Map<string, StoredTensor>();
  visitWeights(model.spec, (name, shape) => {
    const stored = findWeight(model, name, shape);
    if (stored.dtype === dtype) found.set(name, stored);
  });
  const files = [...new Set([...found.values()].map(({ file }) => file))];
  const order = new Map(files.map((file, i) => [file, i]));
  const inOrder = [...found].sort(([, a], [, b]) => order.get(a.file)! - order.get(b.file)! || a.offset - b.offset);
  let bytes = 0;
  const places = inOrder.map(([name, stored]) => {
    const to = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    bytes = to + stored.bytes;
    return { name, stored, file: stored.file, offset: stored.offset, bytes: stored.bytes, to };
  });
  return { bytes, places };
}

/**
 * A model's weights in one block of a device's memory, as the initializers of a session. Allocated one by one, each
 * would be rounded up to the device's smallest allocation (2 MiB on CUDA), and copied from the file while everything
 * else waits.
 */
export class WeightBlock implements Disposable {
  /** Name in the checkpoint → the weight. Its bytes are valid only after {@linkcode wait}. */
  readonly values: ReadonlyMap<string, Value>;
  readonly #made: DisposableStack;
  readonly #memory: DeviceMemory | undefined;
  readonly #fill: FileFill | undefined;

  /** Allocates the block and begins to read the files. @throws {Error} If the device has not enough memory. */
  constructor({ ort, device }: Runtime, model: ModelFolder, dtype: FloatType) {
    const { bytes, places } = placeWeights(model, dtype);
    using made = new DisposableStack();
    const values = new Map<string, Value>();
    if (places.length > 0) {
      const memory = this.#memory = made.use(device.allocate(bytes));
      this.#fill = made.use(new FileFill(device, memory, places));
      for (const { name, stored: { shape }, to } of places) {
        values.set(name, made.use(Value.of(ort, device, memory, dtype, shape, to)));
      }
    }
    this.values = values;
    this.#made = made.move();
  }

  /** Bytes of the block. */
  get bytes(): number {
    return this.#memory?.bytes ?? 0;
  }

  /**
   * Blocks until the weights are read.
   *
   * @returns How long reading them took, s; it runs in parallel with what is done before this call.
   * @throws {InputError} If a file cannot be read any more.
   */
  wait(): number {
    return this.#fill?.wait() ?? 0;
  }

  /** Call it after the sessions are disposed of. */
  [Symbol.dispose](): void {
    this.#made.dispose();
  }
}
