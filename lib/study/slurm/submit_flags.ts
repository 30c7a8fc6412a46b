import { integer, text } from "../../flags/values.ts";
import { type FlagTable, readFlags } from "../../flags/read.ts";
import { defaultText, flagLines } from "../../cli/flags/help.ts";
import { fromUserFolder } from "../../process/user_folder.ts";
import { InputError } from "../../util/errors.ts";
import { SWEEP_FLAGS, type SweepFlags } from "../work/sweep_flags.ts";

/** Flags of `deno task sweep submit PLAN`. */
export interface SubmitFlags
  extends Pick<SweepFlags, "dry_run" | "output" | "chunk" | "cell_timeout" | "retry_failed" | "stale" | "help"> {
  slurm: boolean;
  account: string | undefined;
  partition: string | undefined;
  time: string | undefined;
  gres: string | undefined;
  /** Tasks of the array at most. */
  tasks: number | undefined;
  /** Tasks that run at the same time at most. */
  parallel: number | undefined;
  /** More options of sbatch, separated by blanks. */
  sbatch_arg: string | undefined;
}

const JOB = "The job array";
const { output, chunk, cell_timeout, retry_failed, stale, help } = SWEEP_FLAGS;
const option = (value: string, help: string) => ({
  ...{ group: JOB, help: `${help}, as sbatch has it`, value, read: text },
  ...{ default: undefined, defaultText: "the cluster's" },
});

/** Every flag, in the order of the help. */
export const SUBMIT_FLAGS: FlagTable<SubmitFlags> = {
  slurm: { group: "What to submit", help: "submit to Slurm; no other batch system is known", default: false },
  dry_run: { group: "What to submit", help: "write the script and submit nothing", default: false },
  output: { ...output, group: "What to submit" },
  retry_failed: { ...retry_failed, group: "What to submit" },
  account: option("NAME", "account to charge"),
  partition: option("NAME", "partition"),
  time: option("TIME", "time limit of a task; a task that needs more is queued again, and goes on"),
  gres: option("LIST", "resources of a task, such as gpu:1"),
  sbatch_arg: {
    group: JOB,
    help: 'more options of sbatch, after "=" and separated by blanks: --sbatch_arg="--constraint=h100 --mem=64G"',
    value: "TEXT",
    read: text,
    default: undefined,
    defaultText: "none",
  },
  tasks: {
    group: JOB,
    help: "tasks of the array at most; each has a share of the jobs",
    value: "N",
    read: integer(1),
    default: undefined,
    defaultText: "one for each job, up to the cluster's MaxArraySize",
  },
  parallel: {
    group: JOB,
    help: "tasks that run at the same time at most",
    value: "N",
    read: integer(1),
    default: undefined,
    defaultText: "no limit",
  },
  chunk: { ...chunk, group: "How a task works" },
  cell_timeout: { ...cell_timeout, group: "How a task works" },
  stale: { ...stale, group: "How a task works" },
  help: { ...help, group: "How a task works" },
};

/**
 * Reads the command line of `deno task sweep submit` after the plan.
 *
 * @example
 * ```ts
 * import { parseSubmitFlags } from "./submit_flags.ts";
 *
 * console.log(parseSubmitFlags(["--slurm", "--partition=gpu", "--time", "4:00:00"]).time); // 4:00:00
 * ```
 *
 * @param argv Arguments after the plan.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export function parseSubmitFlags(argv: readonly string[]): SubmitFlags {
  const { flags } = readFlags<SubmitFlags>(argv, SUBMIT_FLAGS, "--chunk 8");
  if (!flags.help && !flags.slurm) {
    throw new InputError("Cannot submit: the batch system is not named; add --slurm, the only one there is");
  }
  return { ...flags, output: flags.output === undefined ? undefined : fromUserFolder(flags.output) };
}

/**
 * Returns the lines of `#SBATCH` that flags ask for.
 *
 * @example
 * ```ts
 * import { optionsOf, parseSubmitFlags } from "./submit_flags.ts";
 *
 * console.log(optionsOf(parseSubmitFlags(["--slurm", "--gres=gpu:1", "--sbatch_arg=--mem=8G -n1"])));
 * // [ "--gres=gpu:1", "--mem=8G", "-n1" ]
 * ```
 *
 * @param flags The flags.
 * @throws {InputError} If a text is no option, or would end the line.
 */
export function optionsOf(flags: SubmitFlags): string[] {
  const named = (["account", "partition", "time", "gres"] as const)
    .flatMap((name) => flags[name] === undefined ? [] : [`--${name}=${checked(name, flags[name])}`]);
  const more = flags.sbatch_arg?.trim().split(/\s+/) ?? [];
  const wrong = more.find((one) => !/^--?[A-Za-z]/.test(one));
  if (wrong !== undefined) {
    throw new InputError(
      `Cannot read --sbatch_arg: ${JSON.stringify(wrong)} is no option; write each as --name=value, without blanks`,
    );
  }
  return [...named, ...more];
}

function checked(name: string, value: string): string {
  if (/^[^\s"'\\]+$/.test(value)) return value;
  throw new InputError(`Cannot read --${name}: found ${JSON.stringify(value)}, give it without blanks and quotes`);
}

/**
 * Returns the text of `--help`.
 *
 * @example
 * ```ts
 * import { submitHelp } from "./submit_flags.ts";
 *
 * console.log(submitHelp().split("\n")[2]); // deno task sweep submit PLAN --slurm --partition gpu --gres gpu:1 …
 * ```
 */
export function submitHelp(): string {
  return [
    "Submits a sweep to a cluster as a job array; the plan's models and texts are downloaded now",
    "",
    "deno task sweep submit PLAN --slurm --partition gpu --gres gpu:1 --time 4:00:00 --chunk 8",
    "deno task sweep status FOLDER                         how far it is",
    "deno task sweep collect FOLDER                        one table of all cells, and what is missing",
    ...flagLines<SubmitFlags>(SUBMIT_FLAGS, defaultText),
  ].join("\n");
}
