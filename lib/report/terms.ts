import { modelFileName } from "./results_folder.ts";
import type { BenchmarkResults } from "./types.ts";

/**
 * The terms of a run on one line, for a picture's header: model, device, dtype, positions, samples, tokens.
 *
 * @param results Its settings and environment.
 * @returns The line.
 */
export function termsOf({ config, environment }: Pick<BenchmarkResults, "config" | "environment">): string {
  const device = config.device === "cuda" ? environment.gpu?.name ?? "CUDA" : environment.cpu.model;
  return [
    modelFileName(config.model_id),
    device,
    config.dtype,
    `${config.positions} positions`,
    `${config.num_samples} ${config.num_samples === 1 ? "sample" : "samples"} of ${config.dataset}`,
    `${config.max_tokens} tokens read, ${config.max_new_tokens} generated`,
  ].join("  ·  ");
}
