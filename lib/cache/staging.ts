import type { KvBlock } from "./kv_block.ts";
import type { StepState } from "./step_state.ts";

/** The block of memory that holds a whole prompt, for layers that do not keep all of it. */
export interface Staging {
  readonly block: KvBlock;
  /** Layer → its index in the block. */
  readonly layers: ReadonlyMap<number, number>;
  /** State of the prompt's entries, if passes show it: then all acting layers are staged. */
  readonly state: StepState | undefined;
  /** Whether the memory belongs to the staging block and is freed with it, rather than to the cache. */
  readonly own: boolean;
}
