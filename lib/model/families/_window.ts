import type { ConfigReader } from "../config_reader.ts";
import type { ModelSpec } from "../spec.ts";

type Window = Pick<ModelSpec, "window">;

/** The sliding window of a model all of whose layers have one. */
export function windowOf(config: ConfigReader, fallback?: number): Window {
  if (!config.has("sliding_window") && fallback === undefined) return {};
  return { window: config.integer("sliding_window", fallback === undefined ? {} : { fallback }) };
}

/**
 * The sliding window of a model that has one only where `use_sliding_window` says so, from layer `max_window_layers` on
 * or where `layer_types` says "sliding_attention".
 */
export function windowOfSome(config: ConfigReader): Window {
  if (!config.boolean("use_sliding_window", false)) return {};
  const types = config.fields.layer_types;
  const some = Array.isArray(types)
    ? types.includes("sliding_attention")
    : config.integer("max_window_layers", { fallback: 28, least: 0 }) < config.integer("num_hidden_layers");
  return some ? windowOf(config, 4096) : {};
}
