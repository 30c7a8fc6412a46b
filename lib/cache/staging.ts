import type { KvBlock } from "./kv_block.ts";
import type { StepState } from "./step_state.ts";

/** Where a prompt lies whole, in layers that do not keep all of it. */
export interface Staging {
  readonly block: KvBlock;
  /** Layer → its index in the block. */
  readonly layers: ReadonlyMap<number, number>;
  /** What is kept of its entries, where passes show it: then the acting layers are staged, all of them. */
  readonly state: StepState | undefined;
  /** Whether the memory is its own, to be freed with it, and not the cache's. */
  readonly own: boolean;
}
