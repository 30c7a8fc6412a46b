import { arrayText, type Shares } from "./array_text.ts";

/** What a batch script runs, and how Slurm is asked for it. */
export interface JobScript {
  /** Name of the sweep. */
  readonly name: string;
  /** Lines after `#SBATCH `, such as `--partition=gpu`. */
  readonly options: readonly string[];
  readonly shares: Shares;
  /** Tasks that run at the same time at most; undefined for as many as the cluster has room for. */
  readonly parallel: number | undefined;
  /** Jobs of the plan. */
  readonly jobs: number;
  /** Path of the plan. */
  readonly plan: string;
  /** The sweep's folder. */
  readonly folder: string;
  /** The project's folder. */
  readonly project: string;
  /** The worker's program with its arguments up to the plan. */
  readonly command: readonly string[];
  /** More flags of the sweep. */
  readonly flags: readonly string[];
  /** Whether failed cells are tried again: then each task does its own share alone. */
  readonly retryFailed: boolean;
  /** Tells this sweep's jobs in Slurm's queue; see {@linkcode jobComment}. */
  readonly comment: string;
}

/** Seconds before the time limit at which a task ends in order and asks to be queued again. */
export const NOTICE_S = 120;

/**
 * Returns the comment by which a sweep's tasks are known in Slurm's queue, whoever submitted them.
 *
 * @param folder Hash of the sweep's folder.
 * @param plan Hash of the plan's jobs.
 * @param perTask Jobs of a task's share.
 *
 * @example
 * ```ts
 * import { jobComment } from "./job_script.ts";
 *
 * console.log(jobComment("ab12", "cd34", 2)); // kvcompress:ab12:cd34:2
 * ```
 */
export function jobComment(folder: string, plan: string, perTask: number): string {
  return `kvcompress:${folder}:${plan}:${perTask}`;
}

/**
 * Writes the batch script of a sweep. It needs nothing but bash, Deno and the shared folder.
 *
 * @param script What it runs.
 *
 * @example
 * ```ts
 * import { jobScript } from "./job_script.ts";
 *
 * const text = jobScript({
 *   ...{ name: "night", options: ["--time=60"], shares: { perTask: 1, tasks: [0, 1, 3] }, parallel: 2, jobs: 4 },
 *   ...{ plan: "/data/night/plan.json", folder: "/data/night", project: "/home/me/kvcompress", comment: "c" },
 *   ...{ command: ["/usr/bin/deno", "run", "sweep.ts"], flags: ["--no_wait"], retryFailed: false },
 * });
 * console.log(text.split("\n").filter((line) => /array|time/.test(line)).slice(0, 2)); // [ "#SBATCH --array=0-1,3%2", "#SBATCH --time=60" ]
 * ```
 */
export function jobScript(script: JobScript): string {
  const { name, options, shares, parallel, jobs, plan, folder, project, command, flags, comment } = script;
  const array = `${arrayText(shares.tasks)}${parallel === undefined ? "" : `%${parallel}`}`;
  const share = script.retryFailed ? '--jobs="$first-$last"' : '--first="$first-$last"';
  const words = command.map(shellQuoted);
  const lines = [
    words.slice(0, -1).join(" "),
    words.at(-1)!,
    shellQuoted(plan),
    shellQuoted(`--output=${folder}`),
    share,
  ];
  return `#!/bin/bash
# The sweep ${name}, written by: deno task sweep submit. Each task measures its share of the plan's jobs${
    script.retryFailed ? "" : ", then\n# any job that is left"
  }.
# You may change this file and submit it by hand, with sbatch. Nothing is measured twice, whoever submits what.
#SBATCH --job-name=sweep_${name}
#SBATCH --comment=${comment}
#SBATCH --array=${array}
#SBATCH --output=${optionQuoted(`${folder.replaceAll("%", "%%")}/slurm/logs/%A_%a.log`)}
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@${NOTICE_S}
${options.map((option) => `#SBATCH ${option}\n`).join("")}
jobs=${jobs}      # of the plan
per_task=${shares.perTask}  # jobs of a task's share
first=$((SLURM_ARRAY_TASK_ID * per_task))
last=$((first + per_task - 1))
[ "$last" -lt "$jobs" ] || last=$((jobs - 1))
flags=(${flags.map(shellQuoted).join(" ")})
${script.retryFailed ? '[ "${SLURM_RESTART_COUNT:-0}" -ne 0 ] || flags+=(--retry_failed)\n' : ""}
cd ${shellQuoted(project)} || exit 1
export HF_HUB_OFFLINE=1 # what is measured was downloaded when the sweep was submitted
${lines.join(" \\\n  ")} "\${flags[@]}" &
worker=$!

# USR1 comes ${NOTICE_S} s before the time limit, TERM with scancel and preemption: the worker ends in order. What it has
# measured is kept, and its job is free for others.
again=no signalled=no
trap 'again=yes signalled=yes; kill -TERM "$worker" 2>/dev/null' USR1
trap 'signalled=yes; kill -TERM "$worker" 2>/dev/null' TERM
until wait "$worker"; code=$?; [ "$signalled" = no ]; do signalled=no; done

# 143: it was ended with work left.
if [ "$again" = yes ] && [ "$code" -eq 143 ]; then
  scontrol requeue "$SLURM_JOB_ID" && exit 0
fi
# 1: a cell failed, or other tasks go on. This task has done what it could; deno task sweep status tells the rest.
[ "$code" -ne 1 ] || code=0
exit "$code"
`;
}

/**
 * Quotes a text for the shell if it needs it.
 *
 * @example
 * ```ts
 * import { shellQuoted } from "./job_script.ts";
 *
 * console.log(shellQuoted("/data/a"), shellQuoted("it's")); // /data/a 'it'\''s'
 * ```
 */
export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Quotes a value of `#SBATCH` if it needs it.
 *
 * @example
 * ```ts
 * import { optionQuoted } from "./job_script.ts";
 *
 * console.log(optionQuoted("a b")); // "a b"
 * ```
 */
export function optionQuoted(text: string): string {
  return /[\s"'\\]/.test(text) ? `"${text.replaceAll(/["\\]/g, "\\$&")}"` : text;
}
