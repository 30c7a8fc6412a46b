/** A Slurm of one node on this machine; see local_slurm.sh. */
import { fromFileUrl, join } from "@std/path";
import { project, taskArguments } from "../../bench/_bench.ts";

const SCRIPT = fromFileUrl(import.meta.resolve("./local_slurm.sh"));
/** Exit code of the script where Slurm cannot be had. */
const UNAVAILABLE = 69;

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    ...{ args: [...args], cwd: project, env: { NO_COLOR: "1", ...env }, stdin: "null" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A task of a job array: its id in the array, and its own. */
export interface Task {
  readonly name: string;
  readonly id: string;
  readonly state: string;
}

/** Runs until the end of the scope. */
export class LocalSlurm implements AsyncDisposable {
  private constructor(readonly folder: string, readonly env: Readonly<Record<string, string>>) {}

  /** Starts it; returns the reason where that cannot be. */
  static async start(): Promise<LocalSlurm | string> {
    if (Deno.build.os !== "linux") return "Slurm runs on Linux alone";
    const folder = await Deno.makeTempDir({ prefix: "kvcompress_slurm_" });
    // Its daemons keep the outputs that they inherit: a pipe would never end.
    const said = join(folder, "said");
    const { code } = await run("bash", ["-c", 'bash "$0" start "$1" >"$2" 2>&1', SCRIPT, join(folder, "slurm"), said]);
    const text = (await Deno.readTextFile(said)).trim();
    if (code === 0) return new LocalSlurm(folder, { SLURM_CONF: text.split("\n").at(-1)! });
    await Deno.remove(folder, { recursive: true });
    if (code === UNAVAILABLE) return text;
    throw new Error(`${SCRIPT} ended with code ${code}: ${text}`);
  }

  /** Runs one of Slurm's programs; throws if it fails. */
  async run(program: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(program, args, this.env);
    if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with code ${code}: ${stderr}`);
    return stdout;
  }

  /** Runs `deno task sweep` as a user does. */
  async sweep(...args: string[]): Promise<Ended> {
    return await run(Deno.execPath(), [...taskArguments("sweep"), ...args], this.env);
  }

  /** Tasks that wait or run. */
  async tasks(): Promise<Task[]> {
    const text = await this.run("squeue", "--noheader", "--array", "--format=%F_%K %A %T");
    return text.split("\n").filter(Boolean).map((line) => {
      const [name, id, state] = line.split(" ") as [string, string, string];
      return { name, id, state };
    });
  }

  /** Waits until no task is left. */
  async untilEmpty(): Promise<void> {
    while ((await this.tasks()).length > 0) await pause(300);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("bash", [SCRIPT, "stop", join(this.folder, "slurm")]);
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until a sweep's folder has some cells; throws if its tasks end before. */
export async function untilStored(slurm: LocalSlurm, folder: string, cells: number): Promise<void> {
  while (countIn(join(folder, "cells")) < cells) {
    if ((await slurm.tasks()).length === 0 && countIn(join(folder, "cells")) < cells) {
      throw new Error(`The tasks ended with ${countIn(join(folder, "cells"))} cells:\n${logsOf(folder)}`);
    }
    await pause(200);
  }
}

/** Names in a folder that do not begin with a dot. */
export function countIn(folder: string): number {
  try {
    return [...Deno.readDirSync(folder)].filter(({ name }) => !name.startsWith(".")).length;
  } catch {
    return 0;
  }
}

/** What the tasks of a sweep said. */
export function logsOf(folder: string): string {
  const logs = join(folder, "slurm", "logs");
  return [...Deno.readDirSync(logs)].map(({ name }) => `${name}:\n${Deno.readTextFileSync(join(logs, name))}`).join(
    "\n",
  );
}
