import { type FlagTable, readFlags } from "../../flags/read.ts";
import { listOf, wordFor } from "../../flags/values.ts";
import { FLOAT_TYPES, type FloatType } from "../../util/dtype.ts";
import { defaultText, flagLines } from "./help.ts";
import { DTYPE_WORDS } from "./machine_flags.ts";
import { FLAG_TABLE } from "./table.ts";
import type { Flags } from "./types.ts";

/** Flags of the command line of `deno task precision`: those of `deno task bench`, except for methods, and the types. */
export interface PrecisionFlags extends
  Pick<
    Flags,
    | "model_id"
    | "revision"
    | "offline"
    | "dataset"
    | "split"
    | "text_column"
    | "min_chars"
    | "seed"
    | "passes"
    | "num_samples"
    | "max_tokens"
    | "max_new_tokens"
    | "prompt_tokens"
    | "num_warmup"
    | "repetitions"
    | "successive"
    | "device"
    | "kernels"
    | "attention"
    | "output"
    | "resume"
    | "timeout"
    | "no_chart"
    | "format"
    | "memory"
    | "help"
  > {
  /** The types to compare, in the order of the table; undefined for all that there are. */
  dtypes: readonly FloatType[] | undefined;
}

const { model_id, revision, offline, dataset, split, text_column, min_chars, seed } = FLAG_TABLE;
const { passes, num_samples, max_tokens, max_new_tokens, prompt_tokens, num_warmup, repetitions } = FLAG_TABLE;
const { successive, device, kernels, attention, output, resume, timeout, no_chart, format, memory, help } = FLAG_TABLE;

/** Every flag, in the order of the help. */
export const PRECISION_FLAGS: FlagTable<PrecisionFlags> = {
  model_id,
  revision,
  offline,
  dataset,
  split,
  text_column,
  min_chars,
  dtypes: {
    group: model_id.group,
    help: `types of weights, activations and cache: some of ${FLOAT_TYPES.join(", ")}, in the order of the table. ` +
      "They are compared with float32, or with the first",
    value: "LIST",
    read: listOf(wordFor(FLOAT_TYPES, DTYPE_WORDS)),
    default: undefined,
    defaultText: "all that the device and the model have",
  },
  seed,
  passes,
  num_samples,
  max_tokens,
  max_new_tokens,
  prompt_tokens,
  num_warmup,
  repetitions,
  successive,
  device,
  kernels,
  attention,
  output,
  resume: {
    ...resume,
    help: "resume the run in this folder, which ended early: measure what is missing. The model, the text, the flags " +
      "and the code must be the same",
  },
  timeout,
  no_chart,
  format,
  memory,
  help,
};

/**
 * Reads the command line of `deno task precision`.
 *
 * @example
 * ```ts
 * import { parsePrecisionFlags } from "./precision_flags.ts";
 *
 * console.log(parsePrecisionFlags(["--dtypes", "fp32,bf16"]).dtypes); // [ "float32", "bfloat16" ]
 * ```
 *
 * @param argv The arguments, as in `Deno.args`.
 * @returns All flags. One that was not given has its default, or is undefined where that depends on the device.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export function parsePrecisionFlags(argv: readonly string[]): PrecisionFlags {
  return readFlags<PrecisionFlags>(argv, PRECISION_FLAGS, "--dtypes float32,float16").flags;
}

/**
 * Returns the text of `--help`.
 *
 * @example
 * ```ts
 * import { precisionHelp } from "./precision_flags.ts";
 *
 * console.log(precisionHelp().split("\n")[0]); // One model in float32, float16 and bfloat16, side by side
 * ```
 *
 * @returns Lines of at most 100 columns.
 */
export function precisionHelp(): string {
  return [
    "One model in float32, float16 and bfloat16, side by side",
    "",
    "deno task precision                                   the embedded model in every type of the device",
    "deno task precision --model_id EleutherAI/pythia-2.8b --dtypes float32,bfloat16",
    ...flagLines<PrecisionFlags>(PRECISION_FLAGS, defaultText),
  ].join("\n");
}
