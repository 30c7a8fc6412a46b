/** How a tiny model and its ONNX exports are run, to be compared with each other. */
import { type PassGroup, tabulate } from "../../lib/cache/schedule.ts";
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import type { Positions } from "../../lib/engine/numbering.ts";
import { qualityPasses } from "../../lib/run/measure/quality.ts";
import { speedPasses } from "../../lib/run/measure/speed_passes.ts";

/** Tokens of the quality pass. */
export const STEPS = 40;
/** Of the speed pass. */
export const lengths = { promptTokens: 24, newTokens: 6 };
/** Text of bytes that do not repeat often: equal tokens have equal norms in layer 0, and a tie is not an error. */
export const ids: readonly number[] = Array.from({ length: STEPS + 1 }, (_, i) => (i * 89 + 7) % 256);

const sequences: readonly PassGroup[][] = [qualityPasses(STEPS), speedPasses(lengths)];

/** A run of a policy. */
export interface Wanted {
  readonly policy: Policy;
  readonly skip: readonly number[];
  readonly positions: Positions;
}

/** Returns an engine's options for both passes of it; an export has its own type and attention. */
export function optionsFor(
  { spec, export: exported }: ModelFolder,
  { policy, skip, positions }: Wanted,
): EngineOptions {
  return {
    dtype: exported?.step.signature.cache ?? "float32",
    attention: exported ? "export" : "explicit",
    maxPositions: STEPS,
    positions,
    table: tabulate(policy, spec, skip, sequences),
    score: policy.score,
    attentionUse: policy.attention,
  };
}
