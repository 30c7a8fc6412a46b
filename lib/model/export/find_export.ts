import { basename, dirname, join } from "@std/path";
import type { FloatType } from "../../dtype.ts";
import { isThere } from "../files.ts";

/** The files of an export. */
export interface ExportPaths {
  /** The graph of a step, and of a prompt where there is no other. */
  readonly step: string;
  /** The graph of a prompt, which takes no past, where it is a file of its own. */
  readonly prompt?: string;
}

/** Names of a decoder, of what optimum has called it, newest first. */
const STEMS = ["model", "decoder_model_merged", "decoder_model"];
const PROMPT = "decoder_model", STEP = "decoder_with_past_model";

/**
 * Looks for a decoder exported to ONNX in a model folder: where optimum puts it, in the folder itself, then where
 * repositories for transformers.js have it, in `onnx`. Quantized ones (`model_q4.onnx`) have to be named.
 *
 * @param folder Path of the model folder.
 * @param dtype float16 takes `model_fp16.onnx` before `model.onnx`, float32 only the latter, "auto" the latter before the
 * former.
 * @returns Its files; undefined if there is none.
 */
export function findExport(folder: string, dtype: "auto" | FloatType): ExportPaths | undefined {
  const suffixes = dtype === "auto" ? ["", "_fp16"] : dtype === "float16" ? ["_fp16", ""] : [""];
  for (const where of [folder, join(folder, "onnx")]) {
    for (const suffix of suffixes) {
      for (const stem of STEMS) {
        const file = join(where, `${stem}${suffix}.onnx`);
        if (isThere(file)) return withPair(file);
      }
    }
  }
  return undefined;
}

/**
 * The files that belong to a named one: of a decoder in two parts, either names both.
 *
 * @param file Path of an .onnx file.
 * @returns The files.
 */
export function withPair(file: string): ExportPaths {
  const [, stem, suffix] = basename(file).match(/^(decoder_model|decoder_with_past_model)(_(?!merged).*)?\.onnx$/) ??
    [];
  if (stem === undefined) return { step: file };
  const sibling = (stem: string) => join(dirname(file), `${stem}${suffix ?? ""}.onnx`);
  const [prompt, step] = [sibling(PROMPT), sibling(STEP)];
  if (!isThere(step)) return { step: file };
  return isThere(prompt) ? { step, prompt } : { step };
}
