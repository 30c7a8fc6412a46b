import { InputError } from "../util/errors.ts";
import type { Decoder, PassTensors } from "../model/graph/decoder_options.ts";
import { buildExport, type ExportOptions } from "../model/export/build_export.ts";
import type { OnnxExport } from "../model/export/onnx_export.ts";
import { emitPrediction } from "../model/graph/head.ts";
import type { ModelFolder } from "../model/folder/model_folder.ts";
import type { ModelSpec } from "../model/spec.ts";
import { Graph } from "../onnx/graph.ts";
import type { LoadedGraph, PassGraphs } from "./loaded_graph.ts";

/** How to load an export's graphs, and what follows a pass. */
export interface ExportHooks {
  readonly load: (decoder: Decoder) => LoadedGraph;
  readonly then: (g: Graph, pass: PassTensors) => void;
}

/**
 * Loads an export for passes: its own graph, in its own operator set version, and after it a second session. That
 * session has the parts that the project's decoders include: the prediction and single-slot eviction.
 */
export function exportPasses(
  { step, prompt }: OnnxExport,
  { vocab }: ModelSpec,
  options: ExportOptions,
  { load, then }: ExportHooks,
): PassGraphs {
  const g = new Graph("after", 24);
  const after = emitPrediction(g, g.input("last_logits", "float32", [1, vocab]), vocab);
  then(g, { after, observed: [] });
  const behind = load({ bytes: g.encode(), weightsFolder: "", weightBytes: 0, names: g.names });
  return {
    step: [load(buildExport(step, options)), behind],
    ...(prompt ? { prompt: [load(buildExport(prompt, options)), behind] } : {}),
  };
}

/** Explains a pass's error if it has a known cause: an export that cannot have layers of different lengths. */
export function explained(cause: unknown, model: ModelFolder, held: readonly number[]): unknown {
  if (!model.export || held.every((entries) => entries === held[0])) return cause;
  // Words used by ORT's allocators and its CUDA calls: such errors have nothing to do with lengths.
  if (cause instanceof Error && /allocate memory|out of memory|C(UDA|UBLAS|UDNN) failure/.test(cause.message)) {
    return cause;
  }
  return new InputError(
    `Cannot run ${model.export.step.path} where layers hold different numbers of entries: its attention mask is of one ` +
      "length for all; give --skip_layers none, and a method that keeps equally many in every layer",
    { cause },
  );
}
