import { Value } from "../../ort/value.ts";
import type { Form, FormContext } from "./form.ts";
import { PastCounts } from "./past_counts.ts";
import { rankInputs } from "./rank_inputs.ts";
import { windowInputs } from "./window_inputs.ts";

/** Inputs of the explicit form (MatMul, Softmax, MatMul): the numbers of tokens, slots, and entries before the pass. */
export class ExplicitForm extends PastCounts implements Form {
  readonly inputs: Record<string, Value>;

  constructor(context: FormContext) {
    super(context);
    const { engine: { runtime: { ort, device }, numbering }, cache, tokens, member } = context;
    const most = Math.max(tokens, ...member.map((layer) => cache.capacity(layer, tokens)));
    const iota = context.allocate(8 * most);
    device.write(iota, 0, BigInt64Array.from({ length: most }, (_, i) => BigInt(i)));
    this.inputs = {
      rows: Value.of(ort, device, iota, "int64", [tokens, 1]),
      ...Object.fromEntries(member.map((layer, group) => [
        `slots.${group}`,
        Value.of(ort, device, iota, "int64", [1, cache.capacity(layer, tokens)]),
      ])),
      ...(numbering.ranked ? rankInputs(context) : windowInputs(context)),
    };
  }

  send(): void {}
}
