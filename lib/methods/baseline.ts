import { InputError } from "../util/errors.ts";
import { baseline as policy } from "../policies/baseline.ts";
import { type MethodRecord } from "./method_record.ts";

/** The full cache. */
export const baselineRecord: MethodRecord<{ readonly no_baseline: boolean }> = {
  expand: () => [{ name: "baseline", policy: policy() }],
  effects: ({ no_baseline }) => {
    if (!no_baseline) return [];
    throw new InputError(
      "Cannot use --no_baseline with --method baseline: the first leaves out what the second asks for",
    );
  },
};
