import { flagLines } from "../../cli/flags/help.ts";
import type { FlagTable } from "../../flags/read.ts";
import { choice, percent } from "../../flags/values.ts";
import { HISTORY_FLAG } from "../history/history_flags.ts";
import { DEFAULT_OPTIONS } from "./compare_sets.ts";
import { COMPARISON_FORMATS, type ComparisonFormat } from "./format_comparison.ts";
import type { CompareOptions } from "./types.ts";

/** Flags of `deno task compare`. */
export interface CompareFlags extends CompareOptions {
  /** The history's file. */
  history: string;
  /** How the comparison is printed. */
  format: ComparisonFormat;
  /** Whether metrics that are the same are shown. */
  all: boolean;
  help: boolean;
}

const MATTERS = "What matters";

/** The flag of a share, which is given and shown in percent. */
function share(name: keyof CompareOptions, help: string) {
  const defaultText = `${Number((DEFAULT_OPTIONS[name] * 100).toPrecision(6))}%`;
  return { group: MATTERS, help, value: "P%", read: percent, default: DEFAULT_OPTIONS[name], defaultText };
}

/** Every flag, in the order of the help. */
export const COMPARE_FLAGS: FlagTable<CompareFlags> = {
  min_time: share("min_time", "smallest change of TPOT and TTFT that matters"),
  min_quality: share("min_quality", "smallest change of perplexity that matters; of KL divergence the same in nats"),
  min_memory: share("min_memory", "smallest change of peak GPU memory that matters"),
  drift: share(
    "drift",
    "how much the machine's times change from run to run (standard deviation), for times that have no baseline next " +
      "to them; 0% for runs made in turns",
  ),
  history: { ...HISTORY_FLAG, help: "the index in which commits, nights and last are looked up" },
  format: {
    group: "Output",
    help: `one of ${COMPARISON_FORMATS.join(", ")}`,
    value: "FORMAT",
    read: choice(COMPARISON_FORMATS),
    default: "table",
    short: "o",
  },
  all: { group: "Output", help: "show metrics that are the same, too", default: false },
  help: { group: "Output", help: "print this", default: false, short: "h" },
};

/**
 * Returns the text of `--help`.
 *
 * @example
 * ```ts
 * import { compareHelp } from "./compare_flags.ts";
 *
 * console.log(compareHelp().split("\n")[0]); // Compare two runs, folders, commits or nights, cell by cell
 * ```
 *
 * @returns Lines of at most 100 columns.
 */
export function compareHelp(): string {
  return [
    "Compare two runs, folders, commits or nights, cell by cell",
    "",
    "deno task compare results/RUN_A results/RUN_B         two runs, or trees of them",
    "deno task compare 6916b0d 3249c78                     two commits",
    "deno task compare last results/RUN -o md              a run against the last of each cell, for a pull request",
    "deno task compare 2026-11-23 2026-11-24               two nights",
    "",
    "Exit codes: 0 nothing is worse; 3 something is, or does not reproduce; 2 wrong input.",
    ...flagLines<CompareFlags>(
      COMPARE_FLAGS,
      (_, { value, default: fallback, defaultText }) =>
        value === undefined ? "" : ` (default ${defaultText ?? fallback})`,
    ),
  ].join("\n");
}
