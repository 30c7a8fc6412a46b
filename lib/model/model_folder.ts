import { join } from "@std/path";
import { InputError } from "../errors.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { ConfigReader } from "./config_reader.ts";
import { gemma } from "./families/gemma.ts";
import { gpt2 } from "./families/gpt2.ts";
import { gptNeox } from "./families/gpt_neox.ts";
import { llama } from "./families/llama.ts";
import { mistral } from "./families/mistral.ts";
import { opt } from "./families/opt.ts";
import { phi } from "./families/phi.ts";
import { qwen2 } from "./families/qwen2.ts";
import { qwen3 } from "./families/qwen3.ts";
import { isFolder, isThere } from "./files.ts";
import { readJsonObject } from "./json_file.ts";
import type { StoredTensor } from "./safetensors.ts";
import type { ModelSpec } from "./spec.ts";
import { visitWeights } from "./visit_weights.ts";
import { findWeight } from "./weights.ts";

/** `model_type` → the family's file. */
const FAMILIES: ReadonlyMap<string, (config: ConfigReader) => ModelSpec> = new Map([
  ["gpt_neox", gptNeox],
  ["llama", llama],
  ["mistral", mistral],
  ["qwen2", qwen2],
  ["qwen3", qwen3],
  ["gpt2", gpt2],
  ["phi", phi],
  ["opt", opt],
  ["gemma", gemma],
]);

/** A Hugging Face model folder, read but for the weights' bytes. */
export interface ModelFolder {
  /** The folder's path. */
  readonly path: string;
  readonly spec: ModelSpec;
  /** Name in the checkpoint → where the tensor lies. Holds more than the decoder needs where the files do. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Opens a model folder: config.json and the headers of its safetensors files. All weights that the decoder needs are
 * there and of the right shape and type when it returns; tensors beyond these are ignored.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "./model_folder.ts";
 *
 * const model = openModelFolder("lib/assets/novel-neox-8m");
 * console.log(model.spec.layers); // 8
 * ```
 *
 * @param path Path of the folder.
 * @returns What it holds.
 * @throws {InputError} Naming the file and the field or tensor that is missing or wrong, and what would do.
 */
export function openModelFolder(path: string): ModelFolder {
  const file = join(path, "config.json");
  if (!isThere(file)) {
    const found = !isThere(path)
      ? "there is no such folder"
      : isFolder(path)
      ? "it holds no config.json"
      : "it is no folder";
    throw new InputError(
      `Cannot open model ${path}: ${found}; --model_id takes a Hugging Face model folder (config.json, tokenizer.json, *.safetensors) or a model's id on the hub (org/name)`,
    );
  }
  const spec = specOf(new ConfigReader(file, readJsonObject(file)));
  const model = { path, spec, tensors: prefixed(readCheckpoint(path), spec) };
  visitWeights(spec, (name, shape) => findWeight(model, name, shape));
  return model;
}

/** Tensors by the names of the whole model, where the checkpoint has those of the model without its head. */
function prefixed(tensors: Map<string, StoredTensor>, { prefix, embedding }: ModelSpec): Map<string, StoredTensor> {
  if (tensors.has(embedding) || !tensors.has(embedding.slice(prefix.length))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor]));
}

/**
 * What a config.json describes.
 *
 * @example
 * ```ts
 * import { ConfigReader } from "./config_reader.ts";
 * import { specOf } from "./model_folder.ts";
 * import { SHAPES } from "./shapes.ts";
 *
 * console.log(specOf(new ConfigReader("config.json", SHAPES["pythia-70m"]!)).layers); // 6
 * ```
 *
 * @param config The file.
 * @returns The decoder.
 * @throws {InputError} If its family is not supported, or a field is missing or wrong.
 */
export function specOf(config: ConfigReader): ModelSpec {
  const family = FAMILIES.get(config.string("model_type"));
  if (!family) return config.fail("model_type", `one of ${[...FAMILIES.keys()].join(", ")} (the families supported)`);
  return family(config);
}
