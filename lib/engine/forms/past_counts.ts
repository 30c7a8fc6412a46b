import type { FormContext } from "./form.ts";

/** The entries that each group holds before a pass, `past.g` int64 `[1]` in the pass's block. */
export class PastCounts {
  readonly #counts: readonly BigInt64Array[];

  constructor({ member, block }: FormContext) {
    this.#counts = member.map((_, group) => block.array(`past.${group}`));
  }

  setPast(group: number, past: number): void {
    this.#counts[group]![0] = BigInt(past);
  }
}
