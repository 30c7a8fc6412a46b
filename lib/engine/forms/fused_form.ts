import type { DeviceMemory } from "../../ort/device.ts";
import { Value } from "../../ort/value.ts";
import type { Form, FormContext } from "./form.ts";

/**
 * Inputs of the fused form, GroupQueryAttention: the last filled slot of each group on the device, and on the host the
 * number of entries after the pass, `total.g` int32 `[1]`.
 */
export class FusedForm implements Form {
  readonly inputs: Record<string, Value>;
  readonly #context: FormContext;
  readonly #memory: DeviceMemory;
  readonly #totals: Int32Array<ArrayBuffer>;
  readonly #lastSlots: readonly Int32Array[];
  /**
   * Whether the count on the host is fixed: a captured graph cannot read a new one, and the capacity is right for all
   * passes.
   */
  readonly #fixed: boolean;

  constructor(context: FormContext) {
    const { engine: { runtime: { ort, host }, captured }, cache, tokens, member, block } = context;
    this.#context = context;
    this.#memory = context.allocate(8 * member.length, host);
    this.#totals = Int32Array.from(member.map((layer) => cache.capacity(layer, tokens)));
    this.#lastSlots = member.map((_, group) => block.array(`last_slot.${group}`));
    this.#fixed = captured && tokens === 1;
    this.inputs = Object.fromEntries(
      member.map((_, group) => [`total.${group}`, Value.of(ort, host, this.#memory, "int32", [1], 4 * group)]),
    );
    host.write(this.#memory, 0, this.#totals);
  }

  setPast(group: number, past: number): void {
    const { tokens } = this.#context;
    this.#lastSlots[group]![0] = past + tokens - 1;
    this.#totals[group] = past + tokens;
  }

  send(): void {
    if (!this.#fixed) this.#context.engine.runtime.host.write(this.#memory, 0, this.#totals);
  }
}
