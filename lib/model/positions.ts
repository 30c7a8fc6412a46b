import type { ModelSpec } from "./spec.ts";

type Positioned = Pick<ModelSpec, "family" | "rope" | "learned" | "maxPositions">;

/**
 * Returns why positions cannot be those in the cache, to follow "Cannot use --positions cache: ".
 *
 * @param spec The model.
 * @returns The reason, without a full stop.
 */
export function noRotation({ family, learned }: Pick<ModelSpec, "family" | "learned">): string {
  if (!learned) return `only their ONNX export knows how ${family} models number tokens`;
  return `${family} models add learned positions to the tokens, so that kept keys cannot be numbered anew; ` +
    "--positions absolute takes any";
}

/**
 * Returns why a model cannot number tokens in this way or this far; undefined if it can. Beyond these limits results
 * would be wrong, not just worse.
 *
 * @example
 * ```ts
 * import { positionsObstacle } from "./positions.ts";
 *
 * const learned = { weight: "wpe.weight", offset: 0 };
 * const spec = { family: "gpt2", maxPositions: 1024, learned };
 * console.log(positionsObstacle(spec, "absolute", 1024)); // undefined
 * console.log(positionsObstacle(spec, "absolute", 1025)); // "its table of learned positions ends at 1024"
 * ```
 *
 * @param spec The model.
 * @param positions How tokens are numbered.
 * @param last The highest position that a token gets, plus one.
 * @returns The reason, without a full stop.
 */
export function positionsObstacle(
  spec: Positioned,
  positions: "absolute" | "cache" | "seed",
  last: number,
): string | undefined {
  if (positions === "cache" && !spec.rope) return noRotation(spec);
  if (spec.learned && last > spec.maxPositions) return `its table of learned positions ends at ${spec.maxPositions}`;
  return undefined;
}
