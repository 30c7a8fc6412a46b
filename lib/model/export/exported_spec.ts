import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import type { ConfigReader } from "../folder/config_reader.ts";
import { MOST } from "../folder/limits.ts";
import type { ModelSpec } from "../spec.ts";
import type { ExportSignature } from "./signature.ts";

/** Families that bias scores by the distance of entries in the cache. Press et al. 2022, arXiv:2108.12409. */
const BY_DISTANCE = ["bloom", "mpt"];

/**
 * Describes a decoder whose family has no file here, and which only its export can run: sizes, most of which the export
 * states, and how far its tokens see. It cannot be written as a graph.
 *
 * @param config Its config.json.
 * @param signature The export's inputs and outputs.
 * @returns The decoder, without weights.
 * @throws {InputError} If a field contradicts the export, or the model cannot work with entries dropped.
 */
export function exportedSpec(config: ConfigReader, signature: ExportSignature): ModelSpec {
  const family = printable(config.string("model_type"), 100); // for messages: no family here has it
  const { layers, kvHeads, headDim } = signature;
  if (BY_DISTANCE.includes(family) || config.has("alibi") && config.boolean("alibi")) {
    throw new InputError(
      `Cannot use ${config.file}: ${family} models attend by distance in the cache (ALiBi), which changes where entries are dropped`,
    );
  }
  const unwritten = (): never => {
    throw new TypeError(`Cannot write a decoder of family ${family}: only its export is known`);
  };
  const size = (name: string) => config.integer(name, { fallback: 1, most: MOST.width });
  const window = windowOf(config);
  return {
    family,
    layers: config.integer("num_hidden_layers", { fallback: layers, most: MOST.layers }),
    hidden: size("hidden_size"),
    heads: config.integer("num_attention_heads", { fallback: kvHeads, most: MOST.width }),
    kvHeads,
    headDim,
    intermediate: size("intermediate_size"),
    vocab: config.integer("vocab_size", {
      ...(signature.vocab ? { fallback: signature.vocab } : {}),
      most: MOST.vocab,
    }),
    maxPositions: firstInteger(config, ["max_position_embeddings", "n_positions", "max_seq_len", "seq_length"]) ??
      2 ** 31 - 1,
    ...(window === undefined ? {} : { window: () => window }),
    norm: { kind: "layer", eps: 0 },
    residual: "sequential",
    activation: "gelu",
    embedding: "",
    prefix: "",
    block: unwritten,
    head: { weight: "" },
  };
}

/** Returns the shortest sliding window that a layer may have, under any of its field names. */
function windowOf(config: ConfigReader): number | undefined {
  if (config.has("use_sliding_window") && !config.boolean("use_sliding_window")) return undefined;
  const { layer_types: types } = config.fields;
  if (Array.isArray(types) && types.every((type) => type === "full_attention")) return undefined;
  return firstInteger(config, ["sliding_window", "sliding_window_size", "attention_chunk_size", "window_size"]);
}

function firstInteger(config: ConfigReader, names: readonly string[]): number | undefined {
  const name = names.find((name) => config.has(name));
  return name === undefined ? undefined : config.integer(name);
}
