import { createHash } from "node:crypto";
import { modelFileName } from "../report/results/results_folder.ts";
import type { BenchmarkResults, ConfigurationRecord } from "../report/results/types.ts";

/**
 * What is measured in a cell, without who measured it: not the code's version and not the machine. Cells of equal terms
 * are compared over commits, nights and machines.
 */
export interface CellTerms {
  /** Last part of the model's folder or id. */
  model: string;
  /** "safetensors", the types of a GGUF file, or the file of an ONNX export. */
  weights: string;
  /** Last part of the data set's name or path. */
  text: string;
  /** The part of the data set; "" if it has none. */
  split: string;
  /** The configuration's name in its run. */
  name: string;
  /** The method. */
  method: string;
  /** Its parameters, `name=value`, sorted and joined by commas. */
  params: string;
  /** How tokens are numbered. */
  positions: string;
  /** Type of weights and cache. */
  dtype: string;
  /** Layers that are never compressed, joined by commas. */
  skip_layers: string;
  /** Tokens of the speed pass's prompt. */
  prompt_tokens: number;
  /** Tokens of a prompt chunk; 0 for the whole prompt at once. */
  prefill_chunk: number;
  /** Tokens generated in the speed pass. */
  max_new_tokens: number;
  /** Tokens of the quality pass. */
  max_tokens: number;
  /** Whose kernels were asked for. Those that ran may differ: that is a finding, not another cell. */
  kernels: string;
  /** "cuda" or "cpu". */
  device: string;
}

/**
 * Returns the terms of a run's configuration.
 *
 * @example
 * ```ts
 * import { cellTerms } from "./cell_terms.ts";
 * import type { BenchmarkResults } from "../report/results/types.ts";
 *
 * const methods = (results: BenchmarkResults) =>
 *   results.configurations.map((record) => cellTerms(results, record).method);
 * ```
 *
 * @param results The run's results, of schema 1 or 2.
 * @param record The configuration.
 */
export function cellTerms({ config }: Pick<BenchmarkResults, "config">, record: ConfigurationRecord): CellTerms {
  const params = Object.entries(record.params).map(([name, value]) => `${name}=${value}`).sort().join(",");
  return {
    model: modelFileName(config.model_id),
    weights: config.weights === undefined ? "safetensors" : modelFileName(config.weights),
    text: modelFileName(config.dataset),
    split: config.split ?? "",
    name: record.name,
    method: record.method,
    params,
    positions: record.positions,
    dtype: record.dtype ?? config.dtype,
    skip_layers: config.skip_layers.join(","),
    prompt_tokens: config.prompt_tokens,
    prefill_chunk: config.prefill_chunk ?? 0,
    max_new_tokens: config.max_new_tokens,
    max_tokens: config.max_tokens,
    kernels: config.kernels ?? "auto",
    device: config.device,
  };
}

/**
 * Returns a cell's key over time: a hash of its terms. A sweep's key of a cell also has the code and the hardware in it,
 * and changes with them; this one does not.
 *
 * @example
 * ```ts
 * import { type CellTerms, seriesKey } from "./cell_terms.ts";
 *
 * console.log(seriesKey({ name: "baseline" } as CellTerms).length); // 16
 * ```
 *
 * @param terms From {@linkcode cellTerms}.
 * @returns 16 hex digits.
 */
export function seriesKey(terms: CellTerms): string {
  const sorted = Object.entries(terms).sort(([a], [b]) => a < b ? -1 : 1);
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}

/**
 * Returns the hardware that decides a run's times: the GPU's name, or the CPU's model.
 *
 * @example
 * ```ts
 * import { hardwareOf } from "./cell_terms.ts";
 *
 * const cpu = { model: "EPYC", cores: 8 };
 * console.log(hardwareOf({ config: { device: "cpu" }, environment: { gpu: null, cpu } })); // EPYC, 8 cores
 * ```
 *
 * @param results A run's settings and environment.
 */
export function hardwareOf({ config: { device }, environment: { gpu, cpu } }: {
  readonly config: Pick<BenchmarkResults["config"], "device">;
  readonly environment: Pick<BenchmarkResults["environment"], "gpu" | "cpu">;
}): string {
  return device === "cuda" && gpu !== null ? gpu.name : `${cpu.model}, ${cpu.cores} cores`;
}
