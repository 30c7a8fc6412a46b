import type { ConfigReader } from "../folder/config_reader.ts";
import type { ModelSpec } from "../spec.ts";

type Window = Pick<ModelSpec, "window">;

/** Reads the sliding window of a model in which all layers have one. */
export function windowOf(config: ConfigReader, fallback?: number): Window {
  if (!config.has("sliding_window") && fallback === undefined) return {};
  const window = config.integer("sliding_window", fallback === undefined ? {} : { fallback });
  return { window: () => window };
}

/**
 * Reads the sliding window of a model that has one only if `use_sliding_window` says so: from layer `max_window_layers`
 * on, or where `layer_types` says "sliding_attention".
 */
export function windowOfSome(config: ConfigReader): Window {
  const types = layerTypes(config);
  // Null means no window; a missing field means the default.
  const isNull = config.fields.sliding_window === null;
  if (!config.boolean("use_sliding_window", false) || isNull) {
    if (types?.includes(SLIDING)) {
      config.fail("layer_types", `without "${SLIDING}" where use_sliding_window is not true`);
    }
    return {};
  }
  const window = config.integer("sliding_window", { fallback: 4096 });
  const full = types ? undefined : config.integer("max_window_layers", { fallback: 28, least: 0 });
  return { window: (layer) => (types ? types[layer] === SLIDING : layer >= full!) ? window : undefined };
}

const SLIDING = "sliding_attention";

/** Reads the kind of each layer's attention, if the file states it. */
function layerTypes(config: ConfigReader): readonly unknown[] | undefined {
  if (!config.has("layer_types")) return undefined;
  const types = config.fields.layer_types;
  const layers = config.integer("num_hidden_layers");
  if (!Array.isArray(types) || types.length !== layers || types.some((t) => t !== SLIDING && t !== "full_attention")) {
    config.fail("layer_types", `${layers} times "full_attention" or "${SLIDING}"`);
  }
  return types;
}
