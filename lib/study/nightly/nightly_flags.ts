import { defaultText, flagLines } from "../../cli/flags/help.ts";
import type { FlagTable } from "../../flags/read.ts";
import { integer, text } from "../../flags/values.ts";
import { COMPARE_FLAGS, type CompareFlags } from "../compare/compare_flags.ts";
import { FEWEST_NIGHTS } from "../compare/compare_nights.ts";
import { SWEEP_FLAGS, type SweepFlags } from "../work/sweep_flags.ts";
import { type HookCommand, hookCommand } from "./hook.ts";

/** Flags of `deno task sweep` that a night hands on. */
export const HANDED_ON = ["devices", "chunk", "cell_timeout", "retry_failed"] as const;

/** Flags of `deno task nightly PLAN`. */
export interface NightlyFlags
  extends Pick<SweepFlags, typeof HANDED_ON[number]>, Pick<CompareFlags, "min_time" | "min_quality" | "min_memory"> {
  /** The folder of all nights; undefined for one named after the plan. */
  output: string | undefined;
  /** The history's file; undefined for the one next to the folder of all nights. */
  history: string | undefined;
  /** Nights that are kept, tonight's included. */
  keep: number;
  /** Earlier nights that tonight is compared with. */
  nights: number;
  /** What is run on a regression. */
  hook: HookCommand | undefined;
  help: boolean;
}

const WHERE = "Where";
const WHAT = "What to do";
const SWEEP = "The sweep";

/** Every flag, in the order of the help. */
export const NIGHTLY_FLAGS: FlagTable<NightlyFlags> = {
  output: {
    group: WHERE,
    help: "the folder of all nights; each has a folder of its own in it, named by its date",
    value: "DIR",
    read: text,
    default: undefined,
    defaultText: "results/nightly_PLAN",
  },
  history: {
    group: WHERE,
    help: "the index of all runs, which is brought up to date",
    value: "FILE",
    read: text,
    default: undefined,
    defaultText: "history.sqlite next to the folder of all nights",
  },
  keep: {
    group: WHAT,
    help: "nights to keep, tonight's included; folders of older nights are removed",
    value: "N",
    read: integer(1),
    default: 30,
  },
  nights: {
    group: WHAT,
    help: "earlier nights that each cell is compared with: the last ones that have it",
    value: "N",
    read: integer(FEWEST_NIGHTS, "of fewer nights, no spread is known"),
    default: 7,
  },
  hook: {
    group: WHAT,
    help: "the program that is run on a regression, by its path, or as a JSON list with its arguments",
    value: "COMMAND",
    read: hookCommand,
    default: undefined,
    defaultText: "none",
  },
  min_time: COMPARE_FLAGS.min_time,
  min_quality: COMPARE_FLAGS.min_quality,
  min_memory: COMPARE_FLAGS.min_memory,
  devices: { ...SWEEP_FLAGS.devices, group: SWEEP },
  chunk: { ...SWEEP_FLAGS.chunk, group: SWEEP },
  cell_timeout: { ...SWEEP_FLAGS.cell_timeout, group: SWEEP },
  retry_failed: { ...SWEEP_FLAGS.retry_failed, group: SWEEP },
  help: { group: SWEEP, help: "print this and stop", short: "h", default: false },
};

/**
 * Returns the text of `--help`.
 *
 * @example
 * ```ts
 * import { nightlyHelp } from "./nightly_flags.ts";
 *
 * console.log(nightlyHelp().includes("--keep")); // true
 * ```
 *
 * @returns Lines of at most 100 columns.
 */
export function nightlyHelp(): string {
  return [
    "One night: a sweep, its comparison with earlier nights, a page, old nights removed",
    "",
    "deno task nightly PLAN [flags]             PLAN: as of deno task sweep; docs/nightly.md has lines for cron and systemd",
    "",
    "Prints one line. Progress is in nightly.log in the night's folder.",
    "Exit codes: 0 nothing is worse; 3 a regression; 1 something failed; 2 wrong input.",
    ...flagLines<NightlyFlags>(NIGHTLY_FLAGS, defaultText),
  ].join("\n");
}
