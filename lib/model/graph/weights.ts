import { dirname, isAbsolute, relative } from "@std/path";
import type { FloatType } from "../../util/dtype.ts";
import { InputError } from "../../util/errors.ts";
import type { Graph, Tensor } from "../../onnx/graph.ts";
import { printable } from "../../util/printable.ts";
import { describeShape } from "../folder/json_file.ts";
import type { StoredTensor } from "../folder/safetensors.ts";

/** A checkpoint: the folder, and where each tensor lies. */
export interface Checkpoint {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Gives the graph its weights, by their names in the checkpoint. */
export interface WeightSource {
  /** Returns a weight of the given shape, in the type computed in. */
  get(name: string, shape: readonly number[]): Tensor;
}

/** Types that weights are stored in. */
type FloatWeight = StoredTensor & { readonly dtype: FloatType | "float64" };

/**
 * Looks up a weight of a model.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../folder/model_folder.ts";
 * import { findWeight } from "./weights.ts";
 *
 * const model = openModelFolder("lib/assets/novel-neox-8m");
 * console.log(findWeight(model, "gpt_neox.embed_in.weight", [4096, 256]).dtype); // "float16"
 * ```
 *
 * @param model The model.
 * @param name The weight's name in the checkpoint.
 * @param shape The shape that follows from config.json.
 * @returns Where it lies.
 * @throws {InputError} If it is missing, has another shape, or is not of a float type.
 */
export function findWeight(
  { path, tensors }: Checkpoint,
  name: string,
  shape: readonly number[],
): FloatWeight {
  const stored = tensors.get(name);
  if (!stored) {
    const some = tensors.keys().take(3).map((name) => printable(name, 100)).toArray().join(", ");
    throw new InputError(
      `Cannot use model ${path}: its safetensors files have no tensor "${name}", which config.json asks for; they have ${
        tensors.size === 0 ? "none" : `${tensors.size}, such as ${some}`
      }`,
    );
  }
  if (stored.shape.length !== shape.length || stored.shape.some((n, i) => n !== shape[i])) {
    throw new InputError(
      `Cannot use ${stored.file}: tensor "${name}" has shape ${
        describeShape(stored.shape)
      }, config.json asks for [${shape}]`,
    );
  }
  if (!isFloatWeight(stored)) {
    throw new InputError(
      `Cannot use ${stored.file}: tensor "${name}" is ${
        printable(stored.type, 100)
      }, weights must be F32, F16, BF16 or F64`,
    );
  }
  return stored;
}

function isFloatWeight(stored: StoredTensor): stored is FloatWeight {
  return ["float32", "float16", "bfloat16", "float64"].includes(stored.dtype!);
}

/**
 * The weights of a model as initializers of a graph: pointers into the safetensors files. Where the stored type is not
 * the one computed in, a Cast follows, which ORT folds when it loads the graph.
 *
 * @example
 * ```ts
 * import { Graph } from "../../onnx/graph.ts";
 * import { openModelFolder } from "../folder/model_folder.ts";
 * import { Weights } from "./weights.ts";
 *
 * const weights = new Weights(openModelFolder("lib/assets/novel-neox-8m"), new Graph("decoder"), "float32");
 * const embedding = weights.get("gpt_neox.embed_in.weight", [4096, 256]);
 * console.log(embedding, weights.bytes); // a Cast's result, 2097152
 * ```
 */
export class Weights implements WeightSource {
  /** The folder that ORT resolves file names against: the one that all files, links followed, have in common. */
  readonly folder: string;
  /** Path of a file → its name for ORT: relative to the folder, links followed. */
  readonly #locations: ReadonlyMap<string, string>;
  /** Weights returned so far, by name: a Cast too is added once, or tied embeddings would be held twice. */
  readonly #given = new Map<string, { readonly tensor: Tensor; readonly bytes: number }>();

  /**
   * @param model The model.
   * @param graph The graph that takes them.
   * @param dtype The type computed in.
   */
  constructor(readonly model: Checkpoint, readonly graph: Graph, readonly dtype: FloatType) {
    const files = [...new Set([...model.tensors.values()].map(({ file }) => file))];
    // ORT rejects links that lead out of the folder, as in the hub's cache: give it the real files.
    const real = files.map((file) => Deno.realPathSync(file));
    this.folder = commonFolder(real);
    this.#locations = new Map(files.map((file, i) => [file, location(this.folder, real[i]!)]));
  }

  /** Bytes of the weights the graph uses, as stored. */
  get bytes(): number {
    return [...this.#given.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What was given, by name. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return new Map(this.#given.entries().map(([name, { tensor }]) => [name, tensor]));
  }

  get(name: string, shape: readonly number[]): Tensor {
    const { dtype, file, offset, bytes } = findWeight(this.model, name, shape);
    const given = this.#given.get(name);
    if (given) return given.tensor;
    const stored = this.graph.external(name, dtype, shape, this.#locations.get(file)!, offset, bytes);
    const tensor = this.graph.cast(stored, dtype, this.dtype);
    this.#given.set(name, { tensor, bytes });
    return tensor;
  }
}

/** Returns the deepest folder that contains all files. */
export function commonFolder(files: readonly string[]): string {
  let folder = dirname(files[0]!);
  const isInside = (file: string) => {
    const way = relative(folder, file);
    return !isAbsolute(way) && !/^\.\.([/\\]|$)/.test(way);
  };
  while (!files.every(isInside)) {
    const up = dirname(folder);
    if (up === folder) throw new InputError(`Cannot use weights on different drives: ${files.join(", ")}`);
    folder = up;
  }
  return folder;
}

/** Returns a file's name as an ONNX graph has it, with "/" on every platform. */
export function location(folder: string, file: string): string {
  const way = relative(folder, file);
  return Deno.build.os === "windows" ? way.replaceAll("\\", "/") : way;
}
