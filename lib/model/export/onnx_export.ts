import { InputError } from "../../util/errors.ts";
import type { ConfigReader } from "../folder/config_reader.ts";
import type { ModelSpec } from "../spec.ts";
import { exportedSpec } from "./exported_spec.ts";
import type { ExportPaths } from "./find_export.ts";
import { type OnnxFile, readOnnxFile } from "./onnx_file.ts";
import { checkSignature, type ExportSignature, readSignature } from "./signature.ts";

/** One graph of an export. */
export interface ExportGraph {
  /** Path of its .onnx file. */
  readonly path: string;
  /** Its inputs and outputs. */
  readonly signature: ExportSignature;
}

/** A decoder exported to ONNX, used unchanged and in place. */
export interface OnnxExport {
  /** The graph of a step, and of a prompt if that has no file of its own. */
  readonly step: ExportGraph;
  /** The graph of a prompt, if it has a file of its own. */
  readonly prompt: ExportGraph | undefined;
  /** Paths of all files, those of the weights included. */
  readonly files: readonly string[];
  /** Whether the model's family has a file here, and is checked. */
  readonly isFamilyKnown: boolean;
}

/**
 * Opens an export: reads its graphs' inputs and outputs, and checks that its weights exist.
 *
 * @param paths Its files.
 * @param config The model's config.json.
 * @param known The decoder that it describes, if its family has a file here.
 * @returns The export and its decoder.
 * @throws {InputError} If a file is missing or cut short, or it is not the decoder that config.json describes.
 */
export function openExport(
  paths: ExportPaths,
  config: ConfigReader,
  known: ModelSpec | undefined,
): { readonly export: OnnxExport; readonly spec: ModelSpec } {
  const files = [readOnnxFile(paths.step), ...(paths.prompt === undefined ? [] : [readOnnxFile(paths.prompt)])];
  const graphs = files.map(({ path, model }): ExportGraph => ({ path, signature: readSignature(path, model) }));
  const [step, prompt] = graphs as [ExportGraph, ExportGraph?];
  const spec = known ?? exportedSpec(config, step.signature);
  for (const { path, signature } of graphs) checkSignature(path, signature, spec);
  if (!step.signature.hasPast) {
    throw new InputError(
      `Cannot use ${step.path}: it takes no past_key_values, only a whole text; put its decoder_with_past_model.onnx ` +
        "next to it, or export it again: optimum-cli export onnx --task text-generation-with-past",
    );
  }
  if (prompt && prompt.signature.cache !== step.signature.cache) {
    throw new InputError(
      `Cannot use ${prompt.path} with ${step.path}: the cache of one is ${prompt.signature.cache}, of the other ${step.signature.cache}`,
    );
  }
  const all = [...new Set(files.flatMap(({ files }: OnnxFile) => files))];
  return { spec, export: { step, prompt, files: all, isFamilyKnown: known !== undefined } };
}
