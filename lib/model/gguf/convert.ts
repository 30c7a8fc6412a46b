import { basename, join } from "@std/path";
import { digestOfFile } from "../../util/digest.ts";
import { InputError } from "../../util/errors.ts";
import { ConfigReader } from "../folder/config_reader.ts";
import { isThere } from "../folder/files.ts";
import { specOf } from "../folder/model_folder.ts";
import type { StoredTensor } from "../folder/safetensors.ts";
import { visitWeights } from "../graph/visit_weights.ts";
import { findWeight } from "../graph/weights.ts";
import { configOf } from "./config.ts";
import { type GgufHeader, readGgufHeader } from "./header.ts";
import { type PlannedTensor, planTensors } from "./plan_tensors.ts";
import { tokenizerOf } from "./tokenizer.ts";
import { plannedBytes, writeWeights } from "./write_weights.ts";

/** A GGUF file that can be converted. */
export interface PlannedConversion {
  /** Bytes that the weights take as safetensors. */
  readonly bytes: number;
  /**
   * Writes config.json, tokenizer.json and model.safetensors.
   *
   * @param folder An empty folder.
   * @param signal Ends it early.
   */
  write(folder: string, signal?: AbortSignal): Promise<void>;
}

/**
 * Plans a Hugging Face model folder with the model of a GGUF file: quantized weights become float32, and floats stay as
 * they are. Checks all that can be wrong before anything is written.
 *
 * @param file Path of the GGUF file.
 * @returns What is to be written.
 * @throws {InputError} If the file is damaged, or has something that is not read here.
 */
export function planConversion(file: string): PlannedConversion {
  const header = readGgufHeader(file);
  const config = configOf(header);
  const tensors = planTensors(header, config);
  checkWeights(header, config, tensors);
  const tokenizer = tokenizerFiles(header);
  return {
    bytes: tensors.reduce((sum, tensor) => sum + plannedBytes(tensor), 0),
    write: async (folder, signal) => {
      const gguf = {
        file: basename(file),
        sha256: await digestOfFile(file, "sha256", signal),
        types: typesOf(tensors),
      };
      const files = { "config.json": { ...config, gguf }, ...tokenizer };
      for (const [name, content] of Object.entries(files)) {
        await Deno.writeTextFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
      }
      await writeWeights(file, join(folder, "model.safetensors"), tensors, signal);
    },
  };
}

/** Checks that all weights of the decoder are there, in the right shape. */
function checkWeights({ file }: GgufHeader, config: Record<string, unknown>, tensors: readonly PlannedTensor[]): void {
  const spec = specOf(new ConfigReader(`${file}, as config.json`, config));
  const planned = tensors.map((tensor): [string, StoredTensor] => [tensor.name, {
    dtype: tensor.type === "F32" ? "float32" : tensor.type === "F16" ? "float16" : "bfloat16",
    type: tensor.type,
    shape: tensor.shape,
    file,
    offset: tensor.source.offset,
    bytes: plannedBytes(tensor),
  }]);
  const model = { path: file, spec, tensors: new Map(planned) };
  visitWeights(spec, (name, shape) => findWeight(model, name, shape));
}

/** The tokenizer of the file's metadata, or else the one next to it. */
function tokenizerFiles(header: GgufHeader): Record<string, string | object> {
  try {
    const { tokenizer, config } = tokenizerOf(header);
    return { "tokenizer.json": tokenizer, "tokenizer_config.json": config };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const inFolder = (name: string) => join(header.file, "..", name);
    if (!isThere(inFolder("tokenizer.json"))) {
      throw new InputError(`${error.message}; a tokenizer.json of the model next to it would be used`, {
        cause: error,
      });
    }
    const names = ["tokenizer.json", "tokenizer_config.json"].filter((name) => isThere(inFolder(name)));
    return Object.fromEntries(names.map((name) => [name, Deno.readTextFileSync(inFolder(name))]));
  }
}

/** Names of the types, that of most numbers first. */
function typesOf(tensors: readonly PlannedTensor[]): string {
  const counts = new Map<string, number>();
  for (const { source: { type }, rows, columns } of tensors) {
    counts.set(type.name, (counts.get(type.name) ?? 0) + rows * columns);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name).join(", ");
}
