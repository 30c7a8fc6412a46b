import { join } from "@std/path";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { isThere } from "./files.ts";
import { describe, isObject, readJsonObject } from "./json_file.ts";
import { readSafetensorsHeader, type StoredTensor } from "./safetensors.ts";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Whether a model folder has weights as safetensors. */
export function hasCheckpoint(folder: string): boolean {
  return isThere(join(folder, SINGLE)) || isThere(join(folder, INDEX));
}

/**
 * Finds all tensors of a model folder: those of model.safetensors, or else of the shards that
 * model.safetensors.index.json names.
 *
 * @example
 * ```ts
 * import { readCheckpoint } from "./checkpoint.ts";
 *
 * console.log(readCheckpoint("lib/assets/novel-neox-8m").has("gpt_neox.embed_in.weight")); // true
 * ```
 *
 * @param folder Path of the model folder.
 * @returns Name in the checkpoint → where the tensor lies.
 * @throws {InputError} If neither file exists, a shard is missing, or a file is invalid.
 */
export function readCheckpoint(folder: string): Map<string, StoredTensor> {
  if (isThere(join(folder, SINGLE))) return readSafetensorsHeader(join(folder, SINGLE));
  const indexFile = join(folder, INDEX);
  if (!isThere(indexFile)) throw noWeights(folder);
  const map = weightMapOf(indexFile);
  const shards = shardsOf(indexFile, map);
  const missing = shards.filter((shard) => !isThere(join(folder, shard)));
  if (missing.length > 0) {
    throw new InputError(
      `Cannot use ${indexFile}: of the ${shards.length} files it names ${missing.length} are missing, such as ${
        missing.slice(0, 3).map((name) => printable(name, 100)).join(", ")
      }; download them into the folder`,
    );
  }
  const tensors = new Map<string, StoredTensor>();
  for (const shard of shards) {
    for (const [name, tensor] of readSafetensorsHeader(join(folder, shard))) {
      // If two shards hold a name, the index says which one counts.
      if (!tensors.has(name) || map[name] === shard) tensors.set(name, tensor);
    }
  }
  return tensors;
}

/**
 * Returns the names of the shards in model.safetensors.index.json, each once.
 *
 * @param indexFile Path of the index.
 * @param map Its field "weight_map", if it was read already.
 * @returns Names of files next to it; they need not exist.
 * @throws {InputError} If it is not an index, or names anything except files next to it.
 */
export function shardsOf(indexFile: string, map: Record<string, unknown> = weightMapOf(indexFile)): string[] {
  return [...new Set(Object.values(map))].map((shard) => {
    if (typeof shard === "string" && shard !== "" && !/[/\\]/.test(shard)) return shard;
    throw new InputError(`Cannot use ${indexFile}: "weight_map" names ${describe(shard)}, not a file next to it`);
  });
}

/** Tensor's name → its shard, from the index. */
function weightMapOf(indexFile: string): Record<string, unknown> {
  const { weight_map: map } = readJsonObject(indexFile);
  if (isObject(map)) return map;
  throw new InputError(
    `Cannot use ${indexFile}: field "weight_map" must be an object of tensor and file names, found ${describe(map)}`,
  );
}

function noWeights(folder: string): InputError {
  const others = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => /\.(bin|pt|pth|ckpt|h5|msgpack|gguf|onnx|safetensors)$/.test(name)).sort();
  const onnx = others.find((name) => name.endsWith(".onnx"));
  const found = others.length > 0 ? `, found ${others.slice(0, 5).map((name) => printable(name, 100)).join(", ")}` : "";
  const advice = others.some((name) => /\.(bin|pt|pth)$/.test(name))
    ? "; with Python's transformers, model.save_pretrained(folder) writes them as safetensors"
    : onnx
    ? `; to run an export by another name, name the file: --model_id ${join(folder, printable(onnx))}`
    : "";
  return new InputError(
    `Cannot find weights in ${folder}: looked for ${SINGLE}, ${INDEX} and model.onnx${found}${advice}`,
  );
}
