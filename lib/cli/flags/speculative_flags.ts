import { type FlagTable, readFlags } from "../../flags/read.ts";
import { integers } from "../../flags/ranges.ts";
import { choice, fault, type FlagReader, integer, listOf, ratio, text } from "../../flags/values.ts";
import { SPECULATIVE_DEFAULTS, type SpeculativeOptions } from "../../speculative/plan/options.ts";
import { readDraft } from "../../speculative/plan/draft_spec.ts";
import { WORKLOADS } from "../../speculative/plan/workload.ts";
import { absolutePaths } from "../read_command.ts";
import { flagLines } from "./help.ts";
import { FLAG_TABLE } from "./table.ts";

/** Flags of the command line of `deno task speculative`. */
export interface SpeculativeFlags extends Omit<SpeculativeOptions, "signal" | "onNote" | "onDownload"> {
  readonly output: string;
  readonly json: boolean;
  readonly help: boolean;
}

/** Largest number of drafted tokens: passes of 16 tokens. */
const MOST_GAMMA = 15;

const draft: FlagReader<string> = (_, text) => {
  readDraft(text);
  return text;
};

const gamma: FlagReader<number | "auto"> = (flag, text) => {
  if (text === "auto") return text;
  const value = integer(1)(flag, text);
  if (value <= MOST_GAMMA) return value;
  throw fault(flag, text, `give at most ${MOST_GAMMA} tokens, or auto`);
};

const temperature: FlagReader<number> = (flag, text) => {
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (value === 0 || value >= 0.01 && value <= 100) return value;
  throw fault(flag, text, "give 0 for greedy decoding, or a number from 0.01 to 100");
};

const { model_id, revision, offline, dataset, split, text_column, min_chars, seed } = FLAG_TABLE;
const { device, dtype, kernels, attention, output, timeout, no_chart, help } = FLAG_TABLE;

const byDevice = (name: "lengths" | "max_new_tokens") =>
  `${SPECULATIVE_DEFAULTS.cuda[name]} on CUDA, ${SPECULATIVE_DEFAULTS.cpu[name]} on CPU`;
const LENGTH = "How much to measure";

/** Every flag, in the order of the help. */
export const SPECULATIVE_FLAGS: FlagTable<SpeculativeFlags> = {
  model_id,
  revision,
  offline,
  dataset,
  split,
  text_column,
  min_chars,
  draft: {
    group: model_id.group,
    help: "what drafts, each a line of the picture: ngram, look-up in the text; self:METHOD:BUDGET, the model itself " +
      "over a compressed cache; the folder or id of a model with the same vocabulary; oracle:RATE, tokens that are " +
      "right with this probability, and oracle:RATE:DRAFT, the same at the cost of a draft",
    value: "LIST",
    read: listOf(draft),
    default: ["ngram", "self:streaming_llm:25%"],
  },
  gamma: {
    group: model_id.group,
    help: `tokens drafted in a round, 1 to ${MOST_GAMMA}; auto chooses by the acceptance and the times measured`,
    value: "LIST",
    read: listOf(gamma),
    default: [4],
  },
  workload: {
    group: model_id.group,
    help: `prompts: ${WORKLOADS.join(", ")}, the text to go on with, a passage that begins again, or a question that ` +
      "is answered by quoting; or a file of text",
    value: "NAME",
    read: text,
    default: "text",
  },
  temperature: {
    group: model_id.group,
    help: "sample at this temperature; 0 decodes greedily",
    value: "X",
    read: temperature,
    default: 0,
  },
  top_p: {
    group: model_id.group,
    help: "sample from the most likely tokens that together have this share",
    value: "X",
    read: ratio,
    default: 1,
  },
  seed,
  lengths: {
    group: LENGTH,
    help: "tokens of the prompts: the contexts that the break-even is looked for in",
    value: "LIST",
    read: integers(16, "a prompt that is shorter says little"),
    default: undefined,
    defaultText: byDevice("lengths"),
  },
  max_new_tokens: {
    group: LENGTH,
    help: "tokens that are written and timed after each prompt",
    value: "N",
    read: integer(2),
    default: undefined,
    defaultText: byDevice("max_new_tokens"),
  },
  num_samples: { group: LENGTH, help: "texts that prompts are from", value: "N", read: integer(1), default: 2 },
  num_warmup: {
    group: LENGTH,
    help: "tokens that are written after each prompt before the clock starts",
    value: "N",
    read: integer(0),
    default: 8,
  },
  repetitions: {
    group: LENGTH,
    help:
      "rounds: in each, plain decoding and every draft write their texts in processes of their own, in random order",
    value: "N",
    read: integer(1),
    default: 6,
  },
  verify: {
    group: LENGTH,
    help: "how drafts are verified: rows, in one pass whose sums run as in steps; steps, token by token; pass, in an " +
      "ordinary pass, whose logits are not bit-equal to those of steps; auto, rows where they can be, else steps",
    value: "NAME",
    read: choice(["auto", "rows", "steps", "pass"]),
    default: "auto",
  },
  device,
  dtype,
  kernels,
  attention,
  output,
  timeout,
  no_chart,
  json: { group: output.group, help: "print results.json instead of the table", default: false },
  help,
};

/**
 * Reads the command line of `deno task speculative`. Paths are relative to the user's current folder.
 *
 * @example
 * ```ts
 * import { parseSpeculativeFlags } from "./speculative_flags.ts";
 *
 * console.log(parseSpeculativeFlags(["--draft", "ngram", "--gamma", "4,auto"]).gamma); // [ 4, "auto" ]
 * ```
 *
 * @param argv The arguments, as in `Deno.args`.
 * @returns All flags. One that was not given has its default, or is undefined where that depends on the device.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export function parseSpeculativeFlags(argv: readonly string[]): SpeculativeFlags {
  const { flags } = readFlags<SpeculativeFlags>(argv, SPECULATIVE_FLAGS, "--gamma 2,4");
  const { model_id, dataset, output } = absolutePaths({ ...flags, resume: undefined });
  return { ...flags, model_id, dataset, output };
}

/**
 * Returns the text of `--help`.
 *
 * @example
 * ```ts
 * import { speculativeHelp } from "./speculative_flags.ts";
 *
 * console.log(speculativeHelp().split("\n")[0]); // Speculative decoding against plain decoding
 * ```
 *
 * @returns Lines of at most 100 columns.
 */
export function speculativeHelp(): string {
  return [
    "Speculative decoding against plain decoding",
    "",
    "deno task speculative                                 look-up, and the model over part of its cache",
    "deno task speculative --draft ngram,models/small --gamma 2,4,8,auto --lengths 512,2048",
    ...flagLines<SpeculativeFlags>(
      SPECULATIVE_FLAGS,
      (_, { value, default: fallback, defaultText }) =>
        value === undefined || (defaultText ?? fallback) === undefined ? "" : ` (default ${defaultText ?? fallback})`,
    ),
  ].join("\n");
}
