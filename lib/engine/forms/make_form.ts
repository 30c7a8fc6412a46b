import { ExplicitForm } from "./explicit_form.ts";
import { ExportForm } from "./export_form.ts";
import type { FormName } from "../loaded_model.ts";
import type { Form, FormContext } from "./form.ts";
import { FusedForm } from "./fused_form.ts";
import { StepForm } from "./step_form.ts";

const FORMS: Readonly<Record<FormName, new (context: FormContext) => Form>> = {
  fused: FusedForm,
  explicit: ExplicitForm,
  export: ExportForm,
  step: StepForm,
};

/** Makes the inputs of a pass in a form of attention. */
export function makeForm(name: FormName, context: FormContext): Form {
  return new FORMS[name](context);
}
