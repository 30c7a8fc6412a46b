import type { KvCache } from "../../cache/kv_cache.ts";
import type { DeviceMemory } from "../../ort/device.ts";
import type { Value } from "../../ort/value.ts";
import type { LoadedModel } from "../loaded_model.ts";
import type { PassBlock } from "../pass_block.ts";

/** How a form of attention is told what the cache holds. */
export interface Form {
  /** Tensors that are bound once, by input's name, in addition to the cache and the pass's block. */
  readonly inputs: Record<string, Value>;
  /**
   * Says how many entries each group holds before the pass. Called before every pass, between the device's work: makes
   * nothing anew.
   *
   * @param group The group.
   * @param past Its entries.
   */
  setPast(group: number, past: number): void;
  /** Sends what lies outside of the pass's block to where the pass reads it. */
  send(): void;
}

/** What a form is made from: a pass of some tokens over a cache. */
export interface FormContext {
  readonly engine: LoadedModel;
  readonly cache: KvCache;
  /** Tokens of the pass. */
  readonly tokens: number;
  /** Group → one of its layers. */
  readonly member: readonly number[];
  /** What changes from pass to pass. */
  readonly block: PassBlock;
  /** Allocates memory that goes with the pass, on the device unless told. */
  allocate(bytes: number, where?: LoadedModel["runtime"]["device"]): DeviceMemory;
}
