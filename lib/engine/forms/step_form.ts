import type { Value } from "../../ort/value.ts";
import type { Form, FormContext } from "./form.ts";
import { PastCounts } from "./past_counts.ts";
import { rankInputs } from "./rank_inputs.ts";
import { windowInputs } from "./window_inputs.ts";

/**
 * Inputs of a step with the project's own kernels: the entries before the pass, and ranks if keys are rotated on read.
 */
export class StepForm extends PastCounts implements Form {
  readonly inputs: Record<string, Value>;

  constructor(context: FormContext) {
    super(context);
    this.inputs = context.engine.numbering.ranked ? rankInputs(context) : windowInputs(context);
  }

  send(): void {}
}
