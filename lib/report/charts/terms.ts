import { basename } from "@std/path";
import { modelFileName } from "../results/results_folder.ts";
import type { ConfigurationRecord, Environment, GpuInfo, RunConfig } from "../results/types.ts";

/** Fields of results.json that {@linkcode termsOf} reads. */
export interface Terms {
  config: Pick<
    RunConfig,
    "model_id" | "device" | "dtype" | "positions" | "num_samples" | "dataset" | "max_tokens" | "max_new_tokens"
  >;
  /** Left out, or without kernels, in results of earlier versions. */
  configurations?: readonly Pick<ConfigurationRecord, "kernels">[];
  environment: { gpu: Pick<GpuInfo, "name"> | null; cpu: Pick<Environment["cpu"], "model"> };
}

/**
 * Formats the terms of a run on one line, for a picture's header: model, device, dtype, positions, samples, tokens.
 *
 * @param results Its settings and environment.
 * @returns The line.
 *
 * @example
 * ```ts
 * import { termsOf } from "./terms.ts";
 *
 * console.log(termsOf({
 *   config: { model_id: "EleutherAI/pythia-70m", device: "cpu", dtype: "float32", positions: "absolute",
 *     num_samples: 2, dataset: "pg19", max_tokens: 2000, max_new_tokens: 500 },
 *   environment: { gpu: null, cpu: { model: "EPYC" } },
 * }));
 * // pythia-70m  ·  EPYC  ·  float32  ·  absolute positions  ·  2 samples of pg19  ·  2000 tokens read, 500 generated
 * ```
 */
export function termsOf({ config, environment, configurations = [] }: Terms): string {
  const device = config.device === "cuda" ? environment.gpu?.name ?? "CUDA" : environment.cpu.model;
  return [
    modelFileName(config.model_id),
    device,
    config.dtype,
    ...kernelTerms(config.device, configurations),
    `${config.positions.split(/[,\s]+/).join(" and ")} positions`,
    `${config.num_samples} ${config.num_samples === 1 ? "sample" : "samples"} of ${textName(config.dataset)}`,
    `${config.max_tokens} tokens read, ${config.max_new_tokens} generated`,
  ].join("  ·  ");
}

/** Whose kernels ran steps, on a GPU: their times are far apart. */
function kernelTerms(device: RunConfig["device"], configurations: NonNullable<Terms["configurations"]>): string[] {
  const used = new Set(configurations.map(({ kernels }) => kernels).filter((kernels) => kernels !== undefined));
  if (device !== "cuda" || used.size === 0) return [];
  return [used.size > 1 ? "own and ORT's kernels" : used.has("own") ? "own kernels" : "ORT's kernels"];
}

/** Short name of a data set for a picture: the last part of a path. */
function textName(dataset: string): string {
  return dataset === "-" ? "standard input" : basename(dataset);
}
