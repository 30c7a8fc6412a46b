import { join } from "@std/path";
import { integers } from "../../flags/ranges.ts";
import { type FlagTable, readFlags } from "../../flags/read.ts";
import { integer, listOf, text } from "../../flags/values.ts";
import { defaultText, flagLines } from "../../cli/flags/help.ts";
import { fromUserFolder } from "../../process/user_folder.ts";
import { InputError } from "../../util/errors.ts";
import { STALE_S } from "../store/store.ts";

/** Flags of `deno task sweep PLAN`. */
export interface SweepFlags {
  dry_run: boolean;
  /** The sweep's folder; undefined for one named after the plan. */
  output: string | undefined;
  chunk: number | undefined;
  cell_timeout: number | undefined;
  retry_failed: boolean;
  /** Numbers of GPUs; undefined for the one that a run would take. */
  devices: readonly number[] | undefined;
  /** Indices of the jobs to run; undefined for all. */
  jobs: readonly number[] | undefined;
  /** Indices of the jobs to begin with. */
  first: readonly number[] | undefined;
  any_hardware: boolean;
  no_wait: boolean;
  stale: number;
  /** Folders with earlier results, for the estimate. */
  results: readonly string[] | undefined;
  help: boolean;
}

const WHAT = "What to run";
const HOW = "How";
const size = integer(1);

/** Every flag, in the order of the help. */
export const SWEEP_FLAGS: FlagTable<SweepFlags> = {
  dry_run: { group: WHAT, help: "print the cells, the jobs and an estimate of the time; run nothing", default: false },
  output: {
    group: WHAT,
    help: "the sweep's folder. With a folder that exists, the sweep goes on: finished cells are not measured again",
    value: "DIR",
    read: text,
    default: undefined,
    defaultText: "results/sweep_PLAN",
  },
  retry_failed: { group: WHAT, help: "try cells again that failed", default: false },
  jobs: {
    group: WHAT,
    help: "run only these jobs of the plan, by the numbers that --dry_run prints",
    value: "LIST",
    read: integers(0),
    default: undefined,
    defaultText: "all",
  },
  first: {
    group: WHAT,
    help: "begin with these jobs, and go on with those after them: several workers then seldom want the same job",
    value: "LIST",
    read: integers(0),
    default: undefined,
    defaultText: "the first job",
  },
  chunk: {
    group: HOW,
    help: "cells of a job at most. A job is one run, with a full cache of its own",
    value: "N",
    read: size,
    default: undefined,
    defaultText: "all cells that share a full cache",
  },
  cell_timeout: {
    group: HOW,
    help:
      "longest time of a cell, all of its processes together, seconds; if it takes longer, it is recorded as failed",
    value: "S",
    read: size,
    default: undefined,
    defaultText: "no limit",
  },
  devices: {
    group: HOW,
    help: "numbers of the GPUs to use, each by a worker of its own",
    value: "LIST",
    read: integers(0),
    default: undefined,
    defaultText: "one worker, on the device that the plan names",
  },
  no_wait: {
    group: HOW,
    help:
      "end when every job that is left is of another worker that gives signs of life; otherwise wait until all are " +
      "done, to take over what a lost worker leaves",
    default: false,
  },
  any_hardware: {
    group: HOW,
    help: "leave out cells that were measured on other hardware: for a cluster whose nodes differ",
    default: false,
  },
  stale: {
    group: HOW,
    help: "seconds without a sign of life after which another machine's job is taken over",
    value: "S",
    read: integer(10, "heartbeats need some time on a shared file system"),
    default: STALE_S,
  },
  results: {
    group: HOW,
    help: "folders of earlier results, for the estimate of the time",
    value: "LIST",
    read: listOf(text),
    default: undefined,
    defaultText: "the sweep's own",
  },
  help: { group: HOW, help: "print this and stop", short: "h", default: false },
};

/**
 * Reads the command line of `deno task sweep` after the plan. Paths are made absolute.
 *
 * @example
 * ```ts
 * import { parseSweepFlags } from "./sweep_flags.ts";
 *
 * console.log(parseSweepFlags(["--devices", "0-1"]).devices); // [ 0, 1 ]
 * ```
 *
 * @param argv Arguments after the plan.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export function parseSweepFlags(argv: readonly string[]): SweepFlags {
  const { flags } = readFlags<SweepFlags>(argv, SWEEP_FLAGS, "--devices 0,1");
  return {
    ...flags,
    output: flags.output === undefined ? undefined : fromUserFolder(flags.output),
    results: flags.results?.map(fromUserFolder),
  };
}

/**
 * Returns a sweep's folder.
 *
 * @example
 * ```ts
 * import { sweepFolder } from "./sweep_flags.ts";
 *
 * console.log(sweepFolder({ name: "night" }, { output: "/data/night" })); // /data/night
 * ```
 *
 * @param plan The plan.
 * @param flags The flags.
 * @returns An absolute path.
 */
export function sweepFolder({ name }: { readonly name: string }, { output }: Pick<SweepFlags, "output">): string {
  return output ?? fromUserFolder(join("results", `sweep_${name}`));
}

/**
 * Splits the command line: the plan comes first.
 *
 * @example
 * ```ts
 * import { splitPlan } from "./sweep_flags.ts";
 *
 * console.log(splitPlan(["/plans/night.yaml", "--dry_run"]).rest); // [ "--dry_run" ]
 * ```
 *
 * @param argv All arguments.
 * @throws {InputError} If it does not.
 */
export function splitPlan(argv: readonly string[]): { readonly plan: string; readonly rest: readonly string[] } {
  const [plan, ...rest] = argv;
  if (plan !== undefined && !plan.startsWith("-")) return { plan: fromUserFolder(plan), rest };
  throw new InputError(
    `Cannot sweep: ${plan === undefined ? "no plan is given" : `${plan} comes before the plan`}; ` +
      "give the plan's file first, as in deno task sweep plan.yaml --dry_run",
  );
}

/**
 * Returns the text of `--help`.
 *
 * @example
 * ```ts
 * import { sweepHelp } from "./sweep_flags.ts";
 *
 * console.log(sweepHelp().includes("--dry_run")); // true
 * ```
 */
export function sweepHelp(): string {
  return [
    "Many runs of bench by a plan: models x methods x budgets x texts x lengths",
    "",
    "deno task sweep PLAN [flags]                          PLAN: JSON with comments, or YAML; docs/sweeps.md has examples",
    "deno task sweep plan.yaml --dry_run                   what it would measure, and how long that takes",
    "deno task sweep submit PLAN --slurm                   as a job array of a cluster; submit --help lists its flags",
    "deno task sweep status FOLDER                         how far a sweep is",
    "deno task sweep collect FOLDER                        one table of all cells, and what is missing",
    ...flagLines<SweepFlags>(SWEEP_FLAGS, defaultText),
  ].join("\n");
}
