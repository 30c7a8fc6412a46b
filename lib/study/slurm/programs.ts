import { loaderFolders } from "../../process/child_env.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";

/** Programs of Slurm that a sweep runs. */
export const SLURM_PROGRAMS = ["sbatch", "squeue", "sacct", "scontrol"] as const;

/** How a program ended. */
interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A task of a job array in Slurm's queue. */
export interface QueuedTask {
  /** "123_4". */
  readonly id: string;
  /** Its index in the array. */
  readonly task: number;
  /** "RUNNING", "PENDING", … */
  readonly state: string;
  /** The node that it runs on, or why it waits. */
  readonly where: string;
  /** How long it has run, as Slurm writes it. */
  readonly time: string;
  /** The comment that it was submitted with. */
  readonly comment: string;
}

/** A task that has ended, by Slurm's accounting. */
export interface EndedTask {
  /** "123_4". */
  readonly id: string;
  /** "COMPLETED", "TIMEOUT", … */
  readonly state: string;
}

/**
 * Slurm, as far as a sweep uses it: its programs, found on the PATH.
 *
 * @example
 * ```ts
 * import { Slurm } from "./programs.ts";
 *
 * const tasks = async () => (await new Slurm().queued())?.map(({ id, state }) => `${id} ${state}`); // [ "123_4 RUNNING" ]
 * ```
 */
export class Slurm {
  /**
   * Submits a batch script.
   *
   * @param script Its path.
   * @returns The job's id.
   * @throws {InputError} If there is no Slurm here, or if it refuses the job.
   */
  async submit(script: string): Promise<string> {
    const ended = await run("sbatch", ["--parsable", script]);
    if (ended === undefined) {
      throw new InputError(
        `Cannot submit ${script}: there is no sbatch on the PATH; submit it on a node of a cluster that has one`,
      );
    }
    const { code, out, err } = ended;
    const id = /^\d+/.exec(out)?.[0];
    if (code === 0 && id !== undefined) return id;
    const said = printable(err.trim().replaceAll(/\s*\n\s*/g, "; ") || `it ended with code ${code}`, 500);
    throw new InputError(`Cannot submit ${script}: sbatch says: ${said}`);
  }

  /** Lists this user's tasks that wait or run; undefined if there is no Slurm here, or if it does not answer. */
  async queued(): Promise<QueuedTask[] | undefined> {
    const ended = await run("squeue", ["--noheader", "--array", "--me", "--format=%F|%K|%T|%M|%R|%k"]);
    if (ended?.code !== 0) return undefined;
    return ended.out.split("\n").filter(Boolean).map((line) => {
      const [job = "", task = "", state = "", time = "", ...rest] = line.split("|");
      const comment = rest.pop() ?? "";
      return { id: `${job}_${task}`, task: Number(task), state, time, where: rest.join("|"), comment };
    });
  }

  /** Lists tasks that have ended, by Slurm's accounting; none if the cluster keeps none. */
  async ended(jobs: readonly string[]): Promise<EndedTask[]> {
    if (jobs.length === 0) return [];
    const args = ["--noheader", "--parsable2", "--allocations", "--format=JobID,State", `--jobs=${jobs.join(",")}`];
    const ended = await run("sacct", args);
    if (ended?.code !== 0) return [];
    return ended.out.split("\n").filter(Boolean).flatMap((line) => {
      const [id = "", state = ""] = line.split("|");
      // "CANCELLED by 1000"
      const word = state.split(" ")[0]!;
      return /^\d+_\d+$/.test(id) && !["PENDING", "RUNNING", "REQUEUED"].includes(word) ? [{ id, state: word }] : [];
    });
  }

  /** Returns the cluster's limit for the indices of an array: they are below it. */
  async maxArraySize(): Promise<number> {
    const ended = await run("scontrol", ["show", "config"]);
    return Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(ended?.out ?? "")?.[1] ?? DEFAULT_MAX_ARRAY_SIZE);
  }
}

/** Slurm's own default. */
const DEFAULT_MAX_ARRAY_SIZE = 1001;

/** Runs a program of Slurm; undefined if there is none. */
async function run(program: typeof SLURM_PROGRAMS[number], args: readonly string[]): Promise<Ended | undefined> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env: environment(),
      stdin: "null",
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
    return { code, out, err };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * The environment of Slurm's programs, and so of the tasks that are submitted. Deno passes on none of the loader's
 * variables; tasks find their folders under another name.
 */
function environment(): Record<string, string> {
  const own = Object.entries(Deno.env.toObject()).filter(([name]) => !/^((LD|DYLD)_|INIT_CWD$)/.test(name));
  const folders = loaderFolders();
  return { ...Object.fromEntries(own), ...(folders === undefined ? {} : { KVCOMPRESS_LD_LIBRARY_PATH: folders }) };
}
