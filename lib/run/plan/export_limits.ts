import { Keeper, type KeepTable, type PassGroup } from "../../cache/schedule.ts";
import { InputError } from "../../util/errors.ts";
import type { ModelFolder } from "../../model/folder/model_folder.ts";
import { shortestWindow } from "../../model/spec.ts";
import { featuresOf, type Score } from "../../policies/score.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { BenchmarkOptions } from "./options.ts";
import type { MeasureRequest } from "../child/protocol.ts";

/** What decides whether an export can run a configuration. */
export interface Wanted {
  readonly positions: Positions;
  readonly score?: Score | undefined;
  readonly table: KeepTable;
  readonly sequences: readonly (readonly PassGroup[])[];
}

/**
 * Returns why an ONNX export cannot run a configuration; undefined if it can, and for other models. An export takes the
 * cache and returns it longer, and shows neither attention nor queries.
 *
 * @example
 * ```ts
 * import { tabulate } from "../../cache/schedule.ts";
 * import { openModelFolder } from "../../model/folder/model_folder.ts";
 * import { methods } from "../../policies/registry.ts";
 * import { exportObstacle } from "./export_limits.ts";
 *
 * const model = openModelFolder("lib/assets/novel-neox-8m"); // safetensors
 * const policy = methods.h2o({ start_size: 0, heavy_size: 8, recent_size: 8 });
 * const sequences = [[{ tokens: 1, times: 20 }]];
 * const table = tabulate(policy, model.spec, [], sequences);
 * console.log(exportObstacle(model, { positions: "absolute", score: policy.score, table, sequences })); // undefined
 * ```
 *
 * @param model The model.
 * @param wanted The configuration.
 * @returns The reason, without a full stop.
 */
export function exportObstacle(model: ModelFolder, { positions, score, table, sequences }: Wanted): string | undefined {
  if (!model.export) return undefined;
  const { step, prompt } = model.export;
  if (score && featuresOf(score).has("attention")) {
    return "an ONNX export shows no attention, and it keeps entries by that; the model's safetensors files take any method";
  }
  if (positions === "cache" && model.spec.rope?.growth) {
    return "its RoPE frequencies change with the text's length (dynamic), so that an export's kept keys cannot be " +
      "numbered anew; the model's safetensors files take any positions";
  }
  const acts = table.layers.some((sizes) => sizes.length > 0);
  if (acts && step.signature.rotatesByLayer) {
    const counts = new Set(new Keeper(table).groups()).size;
    if (positions === "absolute" || positions === "seed" && counts > 1) {
      return "the export rotates keys by what each layer holds (GroupQueryAttention with do_rotary), whatever the text's " +
        "index is; give --positions cache";
    }
  }
  const given = step.signature.hasPositions && (prompt?.signature.hasPositions ?? true);
  if (positions === "absolute" && !given && table.layers[0]!.length > 0) {
    return "the export takes no position_ids and numbers tokens by what layer 0 holds; give --positions seed, which is " +
      "that, or have --skip_layers include 0";
  }
  const longer = longerThanFirst(table, sequences);
  if (longer !== undefined) {
    return `an export has one attention mask, which is as long as what layer 0 holds, and layer ${longer} holds more; ` +
      "have --skip_layers include 0, or give --skip_layers none";
  }
  const window = shortestWindow(model.spec);
  const most = Math.max(
    ...sequences.map((sequence) => sequence.reduce((sum, { tokens, times }) => sum + tokens * times, 0)),
  );
  if (acts && most > window) {
    return `its sliding window of ${window} tokens counts places in the cache, where entries are missing; the model's ` +
      "safetensors files have no such limit";
  }
  return undefined;
}

/** A layer that at some time holds more than the first; undefined if no layer does. */
function longerThanFirst(table: KeepTable, sequences: readonly (readonly PassGroup[])[]): number | undefined {
  const keeper = new Keeper(table);
  for (const sequence of sequences) {
    const held = table.layers.map(() => 0);
    for (const { tokens, times } of sequence) {
      for (let i = 0; i < times; i++) {
        held.forEach((before, layer) => {
          const sizes = keeper.keep(layer, before + tokens);
          held[layer] = sizes === "all" ? before + tokens : sizes.sink + sizes.heavy + sizes.recent;
        });
        const longer = held.findIndex((entries) => entries > held[0]!);
        if (longer >= 0) return longer;
      }
    }
  }
  return undefined;
}

/**
 * Finds the configurations of a run that an ONNX export cannot run.
 *
 * @param requests The configurations.
 * @param isControl Which of them are control groups.
 * @returns Name → reason.
 * @throws {InputError} If only control groups are left.
 */
export function unsupportedByExport(
  model: ModelFolder,
  requests: readonly MeasureRequest[],
  sequences: Wanted["sequences"],
  isControl: readonly boolean[],
): Map<string, string> {
  const refused = new Map<string, string>();
  for (const request of requests) {
    const obstacle = exportObstacle(model, { ...request, sequences });
    if (obstacle !== undefined) refused.set(request.name, obstacle);
  }
  const [first] = refused;
  const left = requests.filter(({ name }, i) => !refused.has(name) && (!isControl[i] || isControl.every(Boolean)));
  if (first && left.length === 0) {
    const [name, why] = [...refused].find(([name]) => !isControl[requests.findIndex((r) => r.name === name)]) ?? first;
    throw new InputError(`Cannot run ${name} with ${model.export!.step.path}: ${why}`);
  }
  return refused;
}

/** Notes for the user on a run on an export. */
export function exportNote(
  { export: exported, spec: { family } }: ModelFolder,
  file: string,
  device: "cuda" | "cpu",
): string {
  const { isFused, cache } = exported!.step.signature;
  // ORT itself reports nothing: it puts the operator on the CPU, and copies before and after it.
  const onCpu = device === "cuda" && isFused && cache === "float32"
    ? ". Its attention is computed on the CPU: CUDA has no GroupQueryAttention in float32; times are not a GPU's, " +
      "an export in float16 has no such limit"
    : "";
  const unknown = exported?.isFamilyKnown
    ? ""
    : `. Models of type ${family} are not checked here: once entries are dropped, results are right only if nothing but the keys' rotation encodes positions`;
  return `Running the ONNX export ${file}: its graph copies the whole cache at every step, and computes the logits of ` +
    "all of a prompt, so it is slower, and takes more memory, than the model's safetensors files would" + onCpu +
    unknown;
}

/** Refuses settings that do not apply to an ONNX export. */
export function checkExportOptions(
  model: ModelFolder,
  { attention = "auto", prefill_chunk }: Pick<BenchmarkOptions, "attention" | "prefill_chunk">,
  promptTokens: number,
): void {
  if (!model.export) return;
  const { path } = model.export.step;
  if (attention !== "auto") {
    throw new InputError(
      `Cannot use --attention ${attention} with ${path}: an export has the attention it was made with`,
    );
  }
  if (prefill_chunk !== undefined && prefill_chunk < promptTokens) {
    throw new InputError(
      `Cannot use --prefill_chunk with ${path}: an export's mask is for a prompt as a whole; leave it out`,
    );
  }
}
