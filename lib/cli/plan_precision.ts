import { LauncherWatch } from "../process/launcher.ts";
import { openModelFolder } from "../model/folder/model_folder.ts";
import { methods } from "../policies/registry.ts";
import { probe } from "../run/child/child.ts";
import { availableDtypes } from "../run/plan/choose.ts";
import { findModel } from "../run/plan/find_model.ts";
import type { BenchmarkOptions } from "../run/plan/options.ts";
import type { FloatType } from "../util/dtype.ts";
import type { PrecisionFlags } from "./flags/precision_flags.ts";
import { absolutePaths } from "./read_command.ts";
import type { RunTools } from "./run_and_report.ts";

/**
 * Plans a run of number types: one full cache for each, all compared with float32, or with the first type without it.
 *
 * If no types are asked for, finds the device and opens the model to see which there are, and notes those that are
 * missing.
 *
 * @example
 * ```ts
 * import { parsePrecisionFlags } from "./flags/precision_flags.ts";
 * import { planPrecision } from "./plan_precision.ts";
 *
 * const tools = { signal: new AbortController().signal, onNote: console.log, onDownload: () => {} };
 * const { options } = await planPrecision(parsePrecisionFlags(["--dtypes", "fp16,fp32"]), tools);
 * console.log(options.configurations.map(({ name }) => name), options.compared_with);
 * // [ "float16", "float32" ] float32
 * ```
 *
 * @param flags What the command line says.
 * @param tools What is told meanwhile, and what ends it.
 * @returns The line printed before the run, and the run's options.
 * @throws {InputError} If the device or the model cannot be found or opened.
 * @throws The signal's reason, if it was ended early.
 */
export async function planPrecision(
  flags: PrecisionFlags,
  tools: RunTools,
): Promise<{ readonly header: string; readonly options: BenchmarkOptions }> {
  const { dtypes: asked, no_chart, format: _, memory: __, help: ___, ...given } = flags;
  const settings = { ...given, ...absolutePaths(given) };
  const { dtypes, device } = asked === undefined
    ? await findDtypes(settings, tools)
    : { dtypes: asked, device: settings.device };
  const policy = methods.baseline();
  const { model_id, revision, dataset, seed } = settings;
  const model = revision === undefined ? model_id : `${model_id} at ${revision}`;
  return {
    header: `kvcompress: number types of one model: ${model}, ${dataset}, seed ${seed}: ${dtypes.join(", ")}`,
    options: {
      ...settings,
      device,
      configurations: dtypes.map((dtype) => ({ name: dtype, policy, dtype })),
      method: "precision",
      compared_with: dtypes.find((dtype) => dtype === "float32") ?? dtypes[0]!,
      tokens: flags.passes !== "quality",
      // Nothing is evicted.
      skip_layers: [],
      chart: !no_chart,
    },
  };
}

/** Finds the types that the device and the model have. */
async function findDtypes(
  settings: Pick<PrecisionFlags, "model_id" | "revision" | "offline" | "device">,
  { signal: ended, onNote, onDownload }: RunTools,
): Promise<{ readonly dtypes: readonly FloatType[]; readonly device: "cuda" | "cpu" }> {
  using launcher = new LauncherWatch();
  const signal = AbortSignal.any([ended, launcher.signal]);
  const { model_id, revision, offline } = settings;
  const { folder } = await findModel({ model_id, revision, offline, onDownload, onNote, signal });
  const model = openModelFolder(folder);
  const { device, note } = await probe(settings.device, signal);
  if (note) onNote(note);
  const { dtypes, missing } = availableDtypes(model, device);
  if (missing !== undefined) onNote(missing);
  return { dtypes, device };
}
