import type { ConfigReader } from "./config_reader.ts";
import type { Activation } from "./spec.ts";

/** transformers' names (`ACT2FN`) of the activations the decoder has. */
const NAMES: Readonly<Record<string, Activation>> = {
  gelu: "gelu",
  gelu_new: "gelu_tanh",
  gelu_fast: "gelu_tanh",
  gelu_pytorch_tanh: "gelu_tanh",
  relu: "relu",
};

/** Reads an activation's name. @throws {InputError} For one the decoder does not have. */
export function readActivation(config: ConfigReader, field: string, fallback: string): Activation {
  return NAMES[config.string(field, fallback)] ?? config.fail(field, `one of ${Object.keys(NAMES).join(", ")}`);
}
