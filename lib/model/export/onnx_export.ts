import { InputError } from "../../errors.ts";
import type { ModelSpec } from "../spec.ts";
import type { ExportPaths } from "./find_export.ts";
import { type OnnxFile, readOnnxFile } from "./onnx_file.ts";
import { checkSignature, type ExportSignature, readSignature } from "./signature.ts";

/** One graph of an export. */
export interface ExportGraph {
  readonly path: string;
  readonly signature: ExportSignature;
}

/** A decoder that someone exported to ONNX: used as it is, where it lies. */
export interface OnnxExport {
  /** The graph of a step, and of a prompt where there is no other. */
  readonly step: ExportGraph;
  /** The graph of a prompt, where it is a file of its own. */
  readonly prompt: ExportGraph | undefined;
  /** Paths of all files, those of the weights included. */
  readonly files: readonly string[];
}

/**
 * Opens an export: reads what its graphs take and give, and makes sure that its weights are there.
 *
 * @param paths Its files.
 * @param spec What config.json describes.
 * @returns What it is.
 * @throws {InputError} If a file is missing or cut short, or it is not the decoder that config.json describes.
 */
export function openExport(paths: ExportPaths, spec: ModelSpec): OnnxExport {
  const files = [readOnnxFile(paths.step), ...(paths.prompt === undefined ? [] : [readOnnxFile(paths.prompt)])];
  const [step, prompt] = files.map(({ path, model }): ExportGraph => {
    const signature = readSignature(path, model);
    checkSignature(path, signature, spec);
    return { path, signature };
  }) as [ExportGraph, ExportGraph?];
  if (!step.signature.hasPast) {
    throw new InputError(
      `Cannot use ${step.path}: it takes no past_key_values, only a whole text; its decoder_with_past_model.onnx has to ` +
        "be beside it, or export it anew: optimum-cli export onnx --task text-generation-with-past",
    );
  }
  if (prompt && prompt.signature.cache !== step.signature.cache) {
    throw new InputError(
      `Cannot use ${prompt.path} with ${step.path}: the cache of one is ${prompt.signature.cache}, of the other ${step.signature.cache}`,
    );
  }
  return { step, prompt, files: [...new Set(files.flatMap(({ files }: OnnxFile) => files))] };
}
