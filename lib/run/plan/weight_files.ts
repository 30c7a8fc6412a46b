import { relative } from "@std/path";
import type { ModelFolder } from "../../model/folder/model_folder.ts";

/** Returns what runs: "safetensors", a GGUF file's types, or the path of an ONNX export in the model's folder. */
export function weightsOf({ path, export: exported, gguf }: ModelFolder): string {
  if (exported) return relative(path, exported.step.path);
  return gguf ? `${gguf.types} (GGUF)` : "safetensors";
}

/** Returns the files that hold weights, or an export's graph, by their paths in the model's folder. */
export function weightFiles({ path, tensors, export: exported }: ModelFolder): string[] {
  const files = exported?.files ?? new Set([...tensors.values()].map(({ file }) => file));
  return [...files].map((file) => relative(path, file));
}
