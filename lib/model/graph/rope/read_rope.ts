import { printable } from "../../../util/printable.ts";
import type { ConfigReader } from "../../folder/config_reader.ts";
import type { Rope } from "./rope.ts";
import { SCALINGS } from "./rope_scaling.ts";

/** A family's defaults for its rotary embedding. */
export interface RopeDefaults {
  readonly theta: number;
  /** Share of a head that is rotated. */
  readonly fraction: number;
  /** Whether a file may state another share. */
  readonly partial?: boolean;
  /** Positions the model was trained for, tokens; some scalings need it. */
  readonly maxPositions: number;
}

/**
 * Reads the rotary settings of a config.json, as transformers 5 writes them (`rope_parameters`) and as 4 does
 * (`rope_theta` or `rotary_emb_base`, `rope_scaling`, `rotary_pct` or `partial_rotary_factor`).
 *
 * @example
 * ```ts
 * import { ConfigReader } from "../../folder/config_reader.ts";
 * import { readRope } from "./read_rope.ts";
 *
 * const config = new ConfigReader("config.json", { rotary_pct: 0.5 });
 * const { frequencies } = readRope(config, 8, { theta: 10000, fraction: 1, partial: true, maxPositions: 2048 });
 * console.log(frequencies); // [ 1, 0.01 ], as float32 has it
 * ```
 *
 * @param config The file.
 * @param headDim Dimensions of a head.
 * @param defaults The family's, for fields that the file omits.
 * @returns The settings.
 * @throws {InputError} If a number makes no sense, or a scaling type is not supported: a wrong result would be worse.
 */
export function readRope(config: ConfigReader, headDim: number, defaults: RopeDefaults): Rope {
  const scaling = config.object("rope_scaling");
  const parameters = config.object("rope_parameters");
  for (const [at, field] of [[config, "rope_scaling"], [config, "rope_parameters"]] as const) {
    const perType = ["full_attention", "sliding_attention"].find((type) => at.object(field)?.has(type));
    if (perType) at.fail(field, `settings for all layers alike, "${printable(perType, 100)}" has its own`);
  }
  const base = firstOf(
    [scaling, "rope_theta"],
    [parameters, "rope_theta"],
    [config, "rope_theta"],
    [config, "rotary_emb_base"],
  );
  // Below 1 frequencies would rise from pair to pair, and leave float32's range.
  const theta = base ? base.config.number(base.field, { least: 1 }) : defaults.theta;
  const share = firstOf(
    [scaling, "partial_rotary_factor"],
    [parameters, "partial_rotary_factor"],
    [config, "partial_rotary_factor"],
    [config, "rotary_pct"],
  );
  if (share && !defaults.partial && share.config.number(share.field) !== 1) {
    share.config.fail(share.field, "1, models of this family rotate all of a head");
  }
  const dim = Math.trunc(headDim * (share ? share.config.number(share.field) : defaults.fraction));
  if (dim < 2 || dim > headDim || dim % 2) {
    const { config: at, field } = share ?? { config, field: defaults.fraction === 1 ? "head_dim" : "rotary_pct" };
    if (field === "head_dim") at.fail(field, `an even number of dimensions to rotate, the head size is ${headDim}`);
    at.fail(field, `a share of the head size ${headDim} that is an even number of dimensions, at least 2`);
  }
  // "type" is what "rope_type" was called before transformers 4.43.
  const kind = firstOf([scaling, "rope_type"], [scaling, "type"], [parameters, "rope_type"], [parameters, "type"]);
  const type = kind ? kind.config.string(kind.field) : "default";
  const scale = SCALINGS.get(type);
  if (!scale) return kind!.config.fail(kind!.field, `one of ${[...SCALINGS.keys()].join(", ")}`);
  const frequencies = inverseFrequencies(dim, theta);
  // Some files have it next to the scaling's fields; there it takes precedence over one among them.
  const field = "original_max_position_embeddings";
  const trained = config.has(field) ? config.integer(field) : undefined;
  // Without a kind it is the default, which needs no other field.
  return scale(kind?.config ?? config, { dim, theta, frequencies, maxPositions: defaults.maxPositions, trained });
}

/** Returns the first place that states the field. */
function firstOf(
  ...places: readonly (readonly [ConfigReader | undefined, string])[]
): { config: ConfigReader; field: string } | undefined {
  for (const [config, field] of places) if (config?.has(field)) return { config, field };
}

/** theta^(-2i / dim), rounded to float32 where the reference implementation does. */
function inverseFrequencies(dim: number, theta: number): number[] {
  return Array.from({ length: dim / 2 }, (_, i) => {
    const exponent = Math.fround((2 * i) / dim);
    return Math.fround(1 / Math.fround(Math.pow(theta, exponent)));
  });
}
