import type { ConfigReader } from "../folder/config_reader.ts";
import { MOST } from "../folder/limits.ts";

/** Sizes by the field names of most families. */
export interface Sizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocab: number;
}

/** A family's defaults for fields that the file omits. */
export interface SizeDefaults {
  /** Key and value heads if the file has no such field; as many as query heads if omitted. */
  readonly kvHeads?: number;
  /** Size of a head; hidden / heads if omitted. */
  readonly headDim?: number;
}

/** Reads the sizes of a model. Those without a default are required. */
export function readSizes(config: ConfigReader, defaults: SizeDefaults = {}): Sizes {
  const hidden = config.integer("hidden_size", { most: MOST.width });
  const heads = config.integer("num_attention_heads", { most: MOST.width });
  // Null means "as many as query heads"; a missing field means the default.
  const isNull = config.fields.num_key_value_heads === null;
  const kvHeads = config.integer("num_key_value_heads", {
    fallback: isNull ? heads : defaults.kvHeads ?? heads,
    most: MOST.width,
  });
  if (heads % kvHeads) {
    config.fail("num_key_value_heads", `a divisor of num_attention_heads (${heads})`);
  }
  return {
    layers: config.integer("num_hidden_layers", { most: MOST.layers }),
    hidden,
    heads,
    kvHeads,
    headDim: readHeadDim(config, hidden, heads, defaults.headDim),
    vocab: config.integer("vocab_size", { most: MOST.vocab }),
  };
}

function readHeadDim(config: ConfigReader, hidden: number, heads: number, fallback: number | undefined): number {
  const given = config.has("head_dim") || fallback !== undefined;
  if (given) return config.integer("head_dim", { most: MOST.width, ...(fallback === undefined ? {} : { fallback }) });
  if (hidden % heads) config.fail("hidden_size", `a multiple of num_attention_heads (${heads})`);
  return hidden / heads;
}
