import { SHAPES } from "../../model/shapes.ts";
import { InputError } from "../../util/errors.ts";
import { ENGINE_DEFAULTS, type RooflineSettings } from "../../roofline/settings.ts";
import { choice, type FlagReader, integer, listOf, noneOr, text } from "../../flags/values.ts";
import { integers } from "../../flags/ranges.ts";
import { machineFlags } from "./machine_flags.ts";
import type { FlagSpec } from "../../flags/spec.ts";
import { flagLines } from "./help.ts";
import { type FlagTable, readFlags } from "../../flags/read.ts";
import {
  type BudgetMethodName,
  budgetMethodNames,
  DEFAULT_METHODS,
  LEAST_BUDGET,
} from "../../roofline/budget_methods.ts";

/** Flags of the command line. A flag that was not given and depends on the device is undefined. */
export interface EngineFlags extends RooflineSettings {
  keep: boolean;
  json: boolean;
  help: boolean;
}

/** Reads `all`, `none` or a list of methods. */
const methodList: FlagReader<readonly BudgetMethodName[]> = (flag, text) =>
  text.trim() === "all" ? budgetMethodNames : noneOr(listOf(choice(budgetMethodNames)))(flag, text);

const WHAT = "What to run";
const LENGTH = "How much to measure";
const MACHINE = "On what";
const OUT = "Output";

/** Every flag, in the order of the help. */
export const ENGINE_FLAGS: FlagTable<EngineFlags> = {
  shape: {
    group: WHAT,
    help: `shape of the model, whose weights are random: ${
      Object.keys(SHAPES).join(", ")
    }; or the path of a config.json. The model is written to the folder for temporary files (TMPDIR) and deleted at the end`,
    value: "NAME",
    read: text,
    default: undefined,
  },
  model_id: {
    group: WHAT,
    help: "an existing model folder instead",
    value: "DIR",
    read: text,
    default: undefined,
    defaultText: "none",
  },
  keep: { group: WHAT, help: "do not delete the model; its folder is printed", default: false },
  methods: {
    group: WHAT,
    help: `methods to compare with the full cache: all, none, or some of ${budgetMethodNames.join(", ")}`,
    value: "LIST",
    read: methodList,
    default: DEFAULT_METHODS,
  },
  lengths: {
    group: LENGTH,
    help: "entries of the full cache, which are also the methods' budgets and the tokens of the timed prompts",
    value: "LIST",
    read: integers(LEAST_BUDGET, "methods keep some entries from the start and some from the end"),
    default: undefined,
  },
  full_lengths: {
    group: LENGTH,
    help: "more lengths of the full cache, to find where a method becomes faster; or none",
    value: "LIST",
    read: noneOr(integers(1)),
    default: undefined,
  },
  steps: { group: LENGTH, help: "steps timed in each row", value: "N", read: integer(4), default: undefined },
  prefills: { group: LENGTH, help: "prompts timed in each row", value: "N", read: integer(1), default: 3 },
  read_mib: {
    group: LENGTH,
    help: "size of the buffer read to measure bandwidth, MiB; many times the size of the GPU's or CPU's caches",
    value: "N",
    read: integer(1),
    default: undefined,
  },
  isolate: {
    group: LENGTH,
    help: "run each row in its own process instead of one process per method: VRAM is then the row's own; slower",
    default: false,
  },
  ...machineFlags(MACHINE),
  json: { group: OUT, help: "print one JSON object with all samples instead of the table", default: false },
  help: { group: OUT, help: "print this and stop", short: "h", default: false },
};

/**
 * Reads the command line of `deno task bench:engine`.
 *
 * @example
 * ```ts
 * import { parseEngineFlags } from "./engine_flags.ts";
 *
 * const flags = parseEngineFlags(["--lengths", "512,256", "--methods", "tova"]);
 * console.log(flags.lengths, flags.methods); // [ 256, 512 ] [ "tova" ]
 * ```
 *
 * @param argv The arguments, as in `Deno.args`.
 * @returns All flags; lengths in ascending order.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export function parseEngineFlags(argv: readonly string[]): EngineFlags {
  const { flags } = readFlags<EngineFlags>(argv, ENGINE_FLAGS, "--lengths 256,512");
  if (flags.model_id !== undefined && flags.shape !== undefined) {
    throw new InputError("Cannot use --shape and --model_id together: the first makes a model, the second names one");
  }
  if (flags.model_id !== undefined && flags.keep) {
    throw new InputError("Cannot use --keep with --model_id: an existing model is never deleted");
  }
  const ascending = (list: readonly number[] | undefined) => list?.toSorted((a, b) => a - b);
  return { ...flags, lengths: ascending(flags.lengths), full_lengths: ascending(flags.full_lengths) };
}

/**
 * Returns the text of `--help`.
 *
 * @example
 * ```ts
 * import { engineHelp } from "./engine_flags.ts";
 *
 * console.log(engineHelp().split("\n")[0]);
 * // How far a step is from what the hardware allows: a table of floor, time per token, host, prefill and memory
 * ```
 *
 * @returns Lines of at most 100 columns, except the first.
 */
export function engineHelp(): string {
  return [
    "How far a step is from what the hardware allows: a table of floor, time per token, host, prefill and memory",
    "",
    "deno task bench:engine                                the default table on the GPU, or a small one on the CPU",
    "deno task bench:engine --shape llama-3.2-1b --lengths 1024 --methods all --json",
    ...flagLines<EngineFlags>(ENGINE_FLAGS, defaultText),
  ].join("\n");
}

function defaultText(name: string, flag: FlagSpec<unknown>): string {
  if (flag.value === undefined) return "";
  if (flag.defaultText !== undefined) return ` (default ${flag.defaultText})`;
  if (flag.default !== undefined) return ` (default ${flag.default})`;
  const { cuda, cpu } = ENGINE_DEFAULTS;
  const key = name as keyof typeof cuda;
  return ` (default ${cuda[key]} on CUDA, ${cpu[key]} on CPU)`;
}
