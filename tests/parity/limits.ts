/** How far figures in half precision may be off: see rounding_limits.ts, which measures it. */
import type { FloatType } from "../../lib/util/dtype.ts";
import limits from "../fixtures/rounding_limits.json" with { type: "json" };

/** Half precision. */
export type HalfType = Exclude<FloatType, "float32">;
/** Figures by what they are of, and the type: what rounding alone was seen to do. */
export type Measured = Readonly<Record<string, Readonly<Record<HalfType, number>>>>;

/** The fixture. */
export interface RoundingLimits {
  readonly made: { readonly date: string; readonly seed: number; readonly nudges: number; readonly factor: number };
  /** Largest error of a token's NLL, nats, under the same choices, by the comparison's name. */
  readonly nll: Measured;
  /** Largest error of a logit as a share of the largest, by model and text. */
  readonly logits: Measured;
  /** Error of a perplexity as a share of it, by the reference run's title: choices may differ. */
  readonly perplexity: Measured;
}

const table = limits as RoundingLimits;

/** Limits in float32, which every sum is rounded to: the same for all models. */
const FLOAT32 = { nll: 1e-4, logits: 1e-4, perplexity: 1e-4 } as const;

function limit(kind: "nll" | "logits" | "perplexity", name: string, dtype: FloatType): number {
  if (dtype === "float32") return FLOAT32[kind];
  const measured = table[kind][name];
  if (!measured) {
    throw new Error(`No limit of ${kind} for "${name}": deno run -A tests/parity/rounding_limits.ts measures it`);
  }
  // Rounding cannot be held to more than float32's limit either.
  return Math.max(FLOAT32[kind], table.made.factor * measured[dtype]);
}

/** The most that a token's NLL may be off, nats, under the same choices. */
export const nllLimit = (name: string, dtype: FloatType) => limit("nll", name, dtype);
/** The most that a logit may be off, as a share of the largest. */
export const logitLimit = (name: string, dtype: FloatType) => limit("logits", name, dtype);
/** The name under which the fixture has what rounding does to a perplexity through choices alone. */
export const CHOICES = "choices by norm: l2_kr0.8, skip 0,1, absolute";
/**
 * In place of the factor of smooth errors: one choice leads to others, so that the largest of a few runs says less of the
 * next one. Emulated in float16, nine runs were off by 0.16 to 0.33 %; an H100's by 0.46 to 0.51 %.
 */
const CHOICE_FACTOR = 3;
/**
 * The name under which the fixture has the standard deviation of a perplexity, as a share of it, when every operator's
 * result is rounded and no choice depends on it.
 */
export const SMOOTH = "standard deviation: recent_only_256, skip none, absolute";
/**
 * Standard deviations that a perplexity may be off. Each device and each kernel's order of sums is another draw. A nudge
 * before rounding doubles the variance, so these are four of rounding to the nearest: one draw in 16,000 is beyond.
 */
const DEVIATIONS = 3;

/**
 * The most that a perplexity may be off, as a share of it.
 *
 * @param chooses Whether entries are chosen by norms: then rounding chooses others.
 */
export function perplexityLimitOf(name: string, dtype: FloatType, chooses: boolean): number {
  const own = limit("perplexity", name, dtype);
  if (dtype === "float32") return own;
  const measured = table.perplexity;
  return Math.max(own, DEVIATIONS * measured[SMOOTH]![dtype], chooses ? CHOICE_FACTOR * measured[CHOICES]![dtype] : 0);
}
