import { join } from "@std/path";
import { InputError } from "../errors.ts";
import { ConfigReader } from "./config_reader.ts";
import { gptNeox } from "./families/gpt_neox.ts";
import { readWeights, type StoredTensor } from "./safetensors.ts";
import type { ModelSpec } from "./spec.ts";

/** `model_type` → the family's file. */
const FAMILIES: Readonly<Record<string, (config: ConfigReader) => ModelSpec>> = {
  gpt_neox: gptNeox,
};

/** A Hugging Face model folder, read but for the weights' bytes. */
export interface ModelFolder {
  /** The folder's path. */
  readonly path: string;
  readonly spec: ModelSpec;
  /** Name in the checkpoint → where the tensor lies. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Opens a model folder: config.json and the headers of its safetensors files.
 *
 * @throws {InputError} Naming the file and the field that is missing or wrong, and what would do.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "./model_folder.ts";
 *
 * const model = openModelFolder(new URL("../assets/novel-neox-8m", import.meta.url).pathname);
 * console.log(model.spec.layers); // 8
 * ```
 */
export function openModelFolder(path: string): ModelFolder {
  const file = join(path, "config.json");
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (cause) {
    const found = isFolder(path) ? "no config.json in it" : "no such folder";
    throw new InputError(
      `Cannot open model ${path}: ${found}; --model_id takes a Hugging Face model folder (config.json, tokenizer.json, *.safetensors)`,
      { cause },
    );
  }
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`Cannot read ${file}: it is not JSON`, { cause });
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new InputError(`Cannot read ${file}: it is not a JSON object`);
  }
  const config = new ConfigReader(file, fields as Record<string, unknown>);
  return { path, spec: specOf(config), tensors: readWeights(path) };
}

/** What a config.json describes. @throws {InputError} If its family is not supported, or a field is wrong. */
export function specOf(config: ConfigReader): ModelSpec {
  const type = config.string("model_type");
  const family = Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined;
  if (!family) return config.fail("model_type", `one of ${Object.keys(FAMILIES).join(", ")} (the families supported)`);
  return family(config);
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
