import { dirname, join } from "@std/path";
import { checkValue, oneOf, text } from "../../util/check_options.ts";
import type { FloatType } from "../../util/dtype.ts";
import { InputError } from "../../util/errors.ts";
import { hasCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { ConfigReader } from "./config_reader.ts";
import { type ExportPaths, findExport, withPair } from "../export/find_export.ts";
import { type OnnxExport, openExport } from "../export/onnx_export.ts";
import { gemma } from "../families/gemma.ts";
import { gpt2 } from "../families/gpt2.ts";
import { gptNeox } from "../families/gpt_neox.ts";
import { llama } from "../families/llama.ts";
import { mistral } from "../families/mistral.ts";
import { opt } from "../families/opt.ts";
import { phi } from "../families/phi.ts";
import { qwen2 } from "../families/qwen2.ts";
import { qwen3 } from "../families/qwen3.ts";
import { isFolder, isThere } from "./files.ts";
import { readJsonObject } from "./json_file.ts";
import type { StoredTensor } from "./safetensors.ts";
import type { ModelSpec } from "../spec.ts";
import { visitWeights } from "../graph/visit_weights.ts";
import { findWeight } from "../graph/weights.ts";

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

/** A Hugging Face model folder, read without the weights' bytes. */
export interface ModelFolder {
  /** The folder's path. */
  readonly path: string;
  /** Shape of the decoder, and names of its weights. */
  readonly spec: ModelSpec;
  /** Name in the checkpoint → where the tensor lies. May hold more than the decoder needs. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The decoder's export to ONNX, if that is run; then there are no tensors. */
  readonly export?: OnnxExport | undefined;
  /** The GGUF file that the folder was made from, if it was. */
  readonly gguf?: GgufSource | undefined;
}

/** The GGUF file that a folder was made from. */
export interface GgufSource {
  /** Its name. */
  readonly file: string;
  /** Hash of its bytes, hex digits. */
  readonly sha256: string;
  /** Types of its weights, that of most numbers first: "Q4_K, Q6_K, F32". */
  readonly types: string;
}

/**
 * Opens a model folder: config.json and the headers of its safetensors files. Checks that all weights the decoder needs
 * exist and have the right shape and type; ignores other tensors. If the folder has no safetensors, or an .onnx file is
 * named in place of a folder, opens that export.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "./model_folder.ts";
 *
 * const model = openModelFolder("lib/assets/novel-neox-8m");
 * console.log(model.spec.layers); // 8
 * ```
 *
 * @param path Path of the folder, or of an .onnx file in it or in a subfolder.
 * @param dtype Which export to take if there are several.
 * @returns What it holds.
 * @throws {InputError} Naming the file and the field or tensor that is missing or wrong, and what would do.
 */
export function openModelFolder(path: string, dtype: "auto" | FloatType = "auto"): ModelFolder {
  checkValue("the path of a model folder", path, text);
  checkValue("openModelFolder's dtype", dtype, oneOf("auto", "float32", "float16", "bfloat16"));
  if (path.endsWith(".onnx") && isThere(path) && !isFolder(path)) return openExported(folderOf(path), withPair(path));
  const found = isThere(join(path, "config.json")) && !hasCheckpoint(path) ? findExport(path, dtype) : undefined;
  if (found) return openExported(path, found);
  const config = readConfig(path);
  const spec = specOf(config);
  const model = { path, spec, tensors: prefixed(readCheckpoint(path), spec), gguf: ggufOf(config) };
  visitWeights(spec, (name, shape) => findWeight(model, name, shape));
  return model;
}

function openExported(path: string, files: ExportPaths): ModelFolder {
  const config = readConfig(path);
  const known = FAMILIES.has(config.string("model_type")) ? specOf(config) : undefined;
  return { path, tensors: new Map(), ...openExport(files, config, known) };
}

/** Returns where a folder is from that was made from a GGUF file. */
function ggufOf(config: ConfigReader): GgufSource | undefined {
  const from = config.object("gguf");
  return from && { file: from.string("file"), sha256: from.string("sha256"), types: from.string("types") };
}

/** Returns the model folder that an .onnx file belongs to: its own, or the one above. */
function folderOf(file: string): string {
  const own = dirname(file);
  return !isThere(join(own, "config.json")) && isThere(join(own, "..", "config.json")) ? join(own, "..") : own;
}

function readConfig(path: string): ConfigReader {
  const file = join(path, "config.json");
  if (!isThere(file)) {
    const found = !isThere(path)
      ? `there is no such ${path.endsWith(".onnx") ? "file" : "folder"}`
      : isFolder(path)
      ? "it holds no config.json"
      : "it is no folder";
    throw new InputError(
      `Cannot open model ${path}: ${found}; --model_id takes a Hugging Face model folder (config.json, tokenizer.json, and *.safetensors or an ONNX export), a GGUF file, or a model's id on the hub (org/name)`,
    );
  }
  return new ConfigReader(file, readJsonObject(file));
}

/** Renames tensors to those of the whole model, if the checkpoint has the names of the model without its head. */
function prefixed(tensors: Map<string, StoredTensor>, { prefix, embedding }: ModelSpec): Map<string, StoredTensor> {
  if (tensors.has(embedding) || !tensors.has(embedding.slice(prefix.length))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor]));
}

/**
 * Returns the decoder that a config.json describes.
 *
 * @example
 * ```ts
 * import { ConfigReader } from "./config_reader.ts";
 * import { specOf } from "./model_folder.ts";
 * import { SHAPES } from "../shapes.ts";
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
  if (config.has("quantization_config")) {
    config.fail("quantization_config", "left out, quantized weights are not supported");
  }
  return family(config);
}
