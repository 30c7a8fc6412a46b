import type { DeviceMemory } from "../../ort/device.ts";
import { Value } from "../../ort/value.ts";
import type { Form, FormContext } from "./form.ts";
import { rankInputs } from "./rank_inputs.ts";

/** Inputs of an ONNX export: on the host, the entries of each group before the pass, `past.g` int64 `[1]`. */
export class ExportForm implements Form {
  readonly inputs: Record<string, Value>;
  readonly #context: FormContext;
  readonly #memory: DeviceMemory;
  readonly #past: BigInt64Array<ArrayBuffer>;

  constructor(context: FormContext) {
    const { engine: { runtime: { ort, host }, numbering }, member } = context;
    this.#context = context;
    this.#memory = context.allocate(8 * member.length, host);
    this.#past = new BigInt64Array(member.length);
    host.write(this.#memory, 0, this.#past);
    const counts = member.map((_, group): [string, Value] => [
      `past.${group}`,
      Value.of(ort, host, this.#memory, "int64", [1], 8 * group),
    ]);
    this.inputs = { ...Object.fromEntries(counts), ...(numbering.ranked ? rankInputs(context) : {}) };
  }

  setPast(group: number, past: number): void {
    this.#past[group] = BigInt(past);
  }

  send(): void {
    this.#context.engine.runtime.host.write(this.#memory, 0, this.#past);
  }
}
