import type { KvCache } from "../../cache/kv_cache.ts";
import type { DeviceMemory } from "../../ort/device.ts";
import type { Value } from "../../ort/value.ts";
import type { LoadedModel } from "../loaded_model.ts";
import type { PassBlock } from "../pass_block.ts";

/** Tells a form of attention what the cache holds. */
export interface Form {
  /** Tensors that are bound once, by input name, in addition to the cache and the pass's block. */
  readonly inputs: Record<string, Value>;
  /**
   * Sets the number of entries that a group holds before the pass. Called before every pass, between the device's work:
   * it allocates nothing.
   *
   * @param group The group.
   * @param past Its entries.
   */
  setPast(group: number, past: number): void;
  /** Sends inputs outside of the pass's block to where the pass reads them. */
  send(): void;
}

/** What a form is made from: a pass over a cache. */
export interface FormContext {
  readonly engine: LoadedModel;
  readonly cache: KvCache;
  /** Tokens of the pass. */
  readonly tokens: number;
  /** Group → one of its layers. */
  readonly member: readonly number[];
  /** What changes from pass to pass. */
  readonly block: PassBlock;
  /** Allocates memory that lives as long as the pass, on the device by default. */
  allocate(bytes: number, where?: LoadedModel["runtime"]["device"]): DeviceMemory;
}
