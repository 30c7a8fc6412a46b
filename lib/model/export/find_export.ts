import { basename, dirname, join } from "@std/path";
import type { FloatType } from "../../util/dtype.ts";
import { isThere } from "../folder/files.ts";

/** The files of an export. */
export interface ExportPaths {
  /** The graph of a step, and of a prompt if that has no file of its own. */
  readonly step: string;
  /** The graph of a prompt, which takes no past, if it has a file of its own. */
  readonly prompt?: string;
}

/** Names of a decoder's file without its ending, as optimum has given them, the newest first. */
const STEMS = ["model", "decoder_model_merged", "decoder_model"];
const PROMPT = "decoder_model", STEP = "decoder_with_past_model";

/**
 * Chooses a decoder exported to ONNX from a model's files: first in the folder itself, where optimum puts it, then in
 * `onnx`, where repositories for transformers.js have it. Quantized ones (`model_q4.onnx`) must be named.
 *
 * @example
 * ```ts
 * import { chooseExport } from "./find_export.ts";
 *
 * const files = ["onnx/model.onnx", "onnx/model_fp16.onnx", "onnx/model_q4.onnx"];
 * console.log(chooseExport((path) => files.includes(path), "float16")); // { step: "onnx/model_fp16.onnx" }
 * ```
 *
 * @param has Whether a file exists, by its path in the folder.
 * @param dtype float16 takes `model_fp16.onnx` before `model.onnx`, float32 only the latter, "auto" the latter before the
 * former.
 * @returns Paths in the folder; undefined if no file fits.
 */
export function chooseExport(has: (path: string) => boolean, dtype: "auto" | FloatType): ExportPaths | undefined {
  const suffixes = dtype === "auto" ? ["", "_fp16"] : dtype === "float16" ? ["_fp16", ""] : [""];
  for (const where of ["", "onnx/"]) {
    for (const suffix of suffixes) {
      const stem = STEMS.find((stem) => has(`${where}${stem}${suffix}.onnx`));
      if (stem !== undefined) return withPair(`${where}${stem}${suffix}.onnx`, has);
    }
  }
  return undefined;
}

/**
 * Returns the files that belong to a named one: if a decoder has two parts, either names both.
 *
 * @param file Path of an .onnx file.
 * @param has Whether a file exists.
 * @returns The files.
 */
export function withPair(file: string, has: (path: string) => boolean = isThere): ExportPaths {
  const [, stem, suffix = ""] =
    basename(file).match(/^(decoder_model|decoder_with_past_model)(_(?!merged).*)?\.onnx$/) ?? [];
  if (stem === undefined) return { step: file };
  const [prompt, step] = [PROMPT, STEP].map((stem) => join(dirname(file), `${stem}${suffix}.onnx`)) as [string, string];
  if (!has(step)) return { step: file };
  return has(prompt) ? { step, prompt } : { step };
}

/** Applies {@linkcode chooseExport} to a folder on this machine. */
export function findExport(folder: string, dtype: "auto" | FloatType): ExportPaths | undefined {
  const found = chooseExport((path) => isThere(join(folder, path)), dtype);
  if (!found) return undefined;
  const { step, prompt } = found;
  return { step: join(folder, step), ...(prompt === undefined ? {} : { prompt: join(folder, prompt) }) };
}

/**
 * Returns all files of an export in a repository: its graphs, and next to each the files of its weights,
 * `model.onnx_data`, `model.onnx_data_1` … or `model.onnx.data`.
 *
 * @param paths Its graphs.
 * @param all Paths of all files of the repository.
 * @returns The export's files.
 */
export function filesOfExport({ step, prompt }: ExportPaths, all: readonly string[]): string[] {
  const graphs = prompt === undefined ? [step] : [step, prompt];
  return graphs.flatMap((graph) => [
    graph,
    ...all.filter((path) => path.startsWith(graph) && /^[._]data(_\d+)?$/.test(path.slice(graph.length))),
  ]);
}
