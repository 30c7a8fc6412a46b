import type { Sequence } from "../../engine/sequence.ts";

/** What is told of each step of a quality pass while its logits are on the device. */
export interface LogitsWatch {
  /**
   * Called right after a step is queued, and before the next one is.
   *
   * @param step Index of the step, from 0.
   * @param sequence Its last pass is the step; the engine returns logits.
   * @param target Id of the token that follows in the text.
   */
  take(step: number, sequence: Sequence, target: number): void;
}
