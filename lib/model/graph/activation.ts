import type { ConfigReader } from "../folder/config_reader.ts";

/** Activation functions of the MLP, by what they compute. */
export type Activation = "gelu" | "gelu_tanh" | "relu" | "silu";

/** transformers' names (`ACT2FN`) of the activations the decoder has. Hendrycks and Gimpel 2016, arXiv:1606.08415. */
const NAMES: ReadonlyMap<string, Activation> = new Map([
  ["gelu", "gelu"],
  ["gelu_python", "gelu"],
  ["gelu_new", "gelu_tanh"],
  ["gelu_fast", "gelu_tanh"],
  ["gelu_accurate", "gelu_tanh"],
  ["gelu_pytorch_tanh", "gelu_tanh"],
  ["gelu_python_tanh", "gelu_tanh"],
  ["relu", "relu"],
  ["silu", "silu"],
  ["swish", "silu"],
]);

/**
 * Reads an activation's name.
 *
 * @example
 * ```ts
 * import { readActivation } from "./activation.ts";
 * import { ConfigReader } from "../folder/config_reader.ts";
 *
 * const config = new ConfigReader("config.json", { hidden_act: "gelu_fast" });
 * console.log(readActivation(config, "hidden_act", "gelu")); // "gelu_tanh"
 * ```
 *
 * @param config The file.
 * @param field The field that holds it.
 * @param fallback The name if the field is missing.
 * @returns What it computes.
 * @throws {InputError} If the decoder does not have it.
 */
export function readActivation(config: ConfigReader, field: string, fallback: string): Activation {
  return NAMES.get(config.string(field, fallback)) ?? config.fail(field, `one of ${[...NAMES.keys()].join(", ")}`);
}
