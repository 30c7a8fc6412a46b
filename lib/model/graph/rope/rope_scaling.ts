import type { ConfigReader } from "../../folder/config_reader.ts";
import type { Rope } from "./rope.ts";

/** Largest factor of cosines and sines: far above any model's, and below what makes scores overflow float32. */
const MOST_FACTOR = 100;

/** What a scaling starts from. */
interface Unscaled {
  readonly dim: number;
  readonly theta: number;
  /** theta^(-2i / dim), rad. */
  readonly frequencies: readonly number[];
  /** max_position_embeddings, tokens. */
  readonly maxPositions: number;
  /** original_max_position_embeddings, tokens, if it is not among the scaling's fields. */
  readonly trained: number | undefined;
}

/** Reads a scaling's own fields and changes frequencies accordingly. */
type Scaling = (config: ConfigReader, unscaled: Unscaled) => Rope;

/** Ways of stretching a rotary embedding over longer texts than it was trained on, by `rope_type`. */
export const SCALINGS: ReadonlyMap<string, Scaling> = new Map<string, Scaling>([
  ["default", (_, { dim, frequencies }) => ({ dim, frequencies })],
  ["linear", linear],
  ["dynamic", dynamic],
  ["llama3", llama3],
  ["yarn", yarn],
]);

/** Positions divided by a factor. Chen et al. 2023, arXiv:2306.15595. */
function linear(config: ConfigReader, { dim, frequencies }: Unscaled): Rope {
  const factor = config.number("factor", { least: 1 });
  return { dim, frequencies: frequencies.map((f) => Math.fround(f / factor)) };
}

/** A base that grows with the text beyond what the model was trained for. Peng et al. 2023, arXiv:2309.00071, appendix B.1. */
function dynamic(config: ConfigReader, { dim, frequencies, maxPositions }: Unscaled): Rope {
  const factor = config.number("factor", { least: 1 });
  if (dim < 4) config.fail("rope_type", `another than dynamic where ${dim} dimensions of a head are rotated`);
  return { dim, frequencies, growth: { factor, from: maxPositions } };
}

/**
 * Slow pairs slowed down by the factor, fast ones unchanged, those in between slowed by a share. Grattafiori et al.
 * 2024, arXiv:2407.21783.
 */
function llama3(config: ConfigReader, { dim, frequencies, maxPositions, trained: beside }: Unscaled): Rope {
  const factor = config.number("factor", { least: 1 });
  const low = config.number("low_freq_factor", { least: Number.MIN_VALUE });
  const high = config.number("high_freq_factor");
  if (high <= low) config.fail("high_freq_factor", `greater than low_freq_factor (${low})`);
  const trained = beside ?? config.integer("original_max_position_embeddings", { fallback: maxPositions });
  return {
    dim,
    frequencies: frequencies.map((f) => {
      const turns = trained * f / (2 * Math.PI);
      if (turns < low) return Math.fround(f / factor);
      if (turns > high) return f;
      const share = (turns - low) / (high - low);
      return Math.fround((1 - share) * f / factor + share * f);
    }),
  };
}

/** Like llama3 with a ramp over pairs, and a temperature. Peng et al. 2023, arXiv:2309.00071, section 3.4. */
function yarn(config: ConfigReader, { dim, theta, frequencies, maxPositions, trained: beside }: Unscaled): Rope {
  const trained = beside ?? config.integer("original_max_position_embeddings", { fallback: maxPositions });
  const factor = config.has("factor") || trained === maxPositions
    ? config.number("factor", { least: 1 })
    : maxPositions / trained;
  const orOf = (field: string, fallback: number) => config.number(field, { fallback, least: Number.MIN_VALUE });
  const round = config.boolean("truncate", true);
  /** Returns the pair that makes `turns` turns over the length trained on. */
  const pairOf = (turns: number) => dim * Math.log(trained / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
  const fast = pairOf(orOf("beta_fast", 32));
  const slow = pairOf(orOf("beta_slow", 1));
  const low = Math.max(round ? Math.floor(fast) : fast, 0);
  let high = Math.min(round ? Math.ceil(slow) : slow, dim - 1);
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    config.fail("rope_type", `another than yarn for a rope_theta of ${theta}, which gives no ramp`);
  }
  if (high === low) high += 0.001;
  return {
    dim,
    magnitude: config.has("attention_factor")
      ? config.number("attention_factor", { least: Number.MIN_VALUE, most: MOST_FACTOR })
      : temperature(config, factor),
    frequencies: frequencies.map((f, i) => {
      const ramp = Math.min(Math.max((i - low) / (high - low), 0), 1);
      return Math.fround(f / factor * ramp + f * (1 - ramp));
    }),
  };
}

/** The paper's 0.1 ln(factor) + 1, or the quotient of two of these, as in DeepSeek's models. */
function temperature(config: ConfigReader, factor: number): number {
  const of = (scale: number) => factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  const [scale, all] = ["mscale", "mscale_all_dim"].map((field) =>
    config.number(field, { fallback: 0, least: 0, most: MOST_FACTOR })
  ) as [
    number,
    number,
  ];
  return scale && all ? of(scale) / of(all) : of(1);
}
