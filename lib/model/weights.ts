import { dirname, relative } from "@std/path";
import { InputError } from "../errors.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import type { FloatType } from "../dtype.ts";
import type { ModelFolder } from "./model_folder.ts";
import type { StoredTensor } from "./safetensors.ts";

/** Gives the graph its weights, by their names in the checkpoint. */
export interface WeightSource {
  /** A weight of the given shape, in the type computed in. */
  get(name: string, shape: readonly number[]): Tensor;
}

/**
 * The weights of a model as initializers of a graph: pointers into the safetensors files. Where the stored type is not
 * the one computed in, a Cast follows, which ORT folds when it loads the graph.
 */
export class Weights implements WeightSource {
  /** The folder that ORT resolves file names against: what all files, links followed, have in common. */
  readonly folder: string;
  readonly #files = new Map<string, string>();
  readonly #used = new Map<string, StoredTensor>();

  constructor(readonly model: ModelFolder, readonly graph: Graph, readonly dtype: FloatType) {
    // ORT refuses files that a link leads out of the folder to, as in the hub's cache: give it the real ones.
    const real = new Map([...new Set([...model.tensors.values()].map((t) => t.file))].map((f) => [f, Deno.realPathSync(f)]));
    this.folder = commonFolder([...real.values()]);
    for (const [file, path] of real) this.#files.set(file, relative(this.folder, path).replaceAll("\\", "/"));
  }

  /** Bytes of the weights the graph uses, as stored. */
  get bytes(): number {
    return [...this.#used.values()].reduce((sum, t) => sum + t.bytes, 0);
  }

  /**
   * A weight in the type computed in.
   *
   * @throws {InputError} If it is missing or its shape is not what config.json asks for.
   */
  get(name: string, shape: readonly number[]): Tensor {
    const stored = this.model.tensors.get(name);
    if (!stored) {
      throw new InputError(
        `Cannot use model ${this.model.path}: tensor "${name}" is missing from its safetensors files (${this.model.tensors.size} tensors, such as ${
          [...this.model.tensors.keys()].slice(0, 3).join(", ")
        })`,
      );
    }
    if (stored.shape.length !== shape.length || stored.shape.some((n, i) => n !== shape[i])) {
      throw new InputError(
        `Cannot use ${stored.file}: tensor "${name}" has shape [${stored.shape}], config.json asks for [${shape}]`,
      );
    }
    if (!["float32", "float16", "bfloat16", "float64"].includes(stored.dtype)) {
      throw new InputError(`Cannot use ${stored.file}: tensor "${name}" is ${stored.dtype}, float weights are needed`);
    }
    this.#used.set(name, stored);
    const file = this.#files.get(stored.file)!;
    const tensor = this.graph.external(name, stored.dtype, stored.shape, file, stored.offset, stored.bytes);
    return this.graph.cast(tensor, stored.dtype, this.dtype);
  }
}

function commonFolder(files: readonly string[]): string {
  let folder = dirname(files[0]!);
  while (!files.every((file) => file.startsWith(folder.endsWith("/") ? folder : `${folder}/`) || dirname(file) === folder)) {
    const up = dirname(folder);
    if (up === folder) break;
    folder = up;
  }
  return folder;
}
