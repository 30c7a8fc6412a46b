import { join } from "@std/path";
import { formatJson } from "../../report/results/json.ts";
import { cannotWrite } from "../../report/results/results_folder.ts";
import { readEnv } from "../../process/child_env.ts";
import { InputError } from "../../util/errors.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { Cells, namesIn } from "./cells.ts";
import { Claims } from "./claims.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { isLifeOf, isOver, Life } from "./life.ts";

/** Seconds without a heartbeat after which a claim is taken over, by default. */
export const STALE_S = 120;

/** An event in a worker's log. */
export interface LogEvent {
  /** What happened. */
  readonly event: "began" | "claimed" | "resumed" | "stored" | "already there" | "failed" | "lost" | "ended" | "note";
  /** The job. */
  readonly job?: string;
  /** The cell. */
  readonly cell?: string;
  /** More of it. */
  readonly text?: string;
}

/** How a {@linkcode Store} is opened. */
export interface StoreOptions {
  /** Seconds without a heartbeat after which a claim is taken over. */
  readonly stale?: number;
  /** The machine's name, if it is not this one's. */
  readonly host?: string;
}

/**
 * A sweep's folder, opened by a process that works on it. The folder may be shared between machines: only the renaming
 * of files and folders has to be atomic there.
 *
 * @example
 * ```ts
 * import { Store } from "./store.ts";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = await Store.open(folder);
 *   console.log((await store.cells.done()).size); // 0
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class Store implements AsyncDisposable {
  #log: Deno.FsFile | undefined;

  private constructor(
    readonly layout: Layout,
    readonly life: Life,
    readonly claims: Claims,
    readonly cells: Cells,
  ) {}

  /**
   * Opens a sweep's folder, and makes it if it is missing.
   *
   * @param folder The sweep's folder.
   * @param options Settings of claims.
   * @throws {InputError} If it cannot be written, or is a folder of something else.
   */
  static async open(folder: string, { stale = STALE_S, host = Deno.hostname() }: StoreOptions = {}): Promise<Store> {
    const layout = layoutOf(folder);
    await checkFolder(layout);
    try {
      await Deno.mkdir(layout.claims, { recursive: true });
      await Deno.mkdir(layout.logs, { recursive: true });
      await clean(layout, host);
      const life = await Life.begin({ folder: layout.workers, host, pid: Deno.pid });
      const claims = new Claims({ folder: layout.claims, life, stale, slurm: slurmTask() });
      return new Store(layout, life, claims, new Cells(layout));
    } catch (error) {
      throw cannotWrite(folder, error);
    }
  }

  /** Keeps the plan as plan.json. Another plan that was there stays under plans/. */
  async keepPlan(plan: object): Promise<void> {
    const { layout } = this;
    const text = `${formatJson(plan)}\n`;
    const before = await Deno.readTextFile(layout.plan).catch(() => undefined);
    if (before === text) return;
    if (before !== undefined) {
      await Deno.mkdir(layout.plans, { recursive: true });
      const at = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
      await writeAtomic(join(layout.plans, `until_${at}.json`), before);
    }
    await writeAtomic(layout.plan, text);
  }

  /** A folder of this process's own, for what is moved into place later. */
  get staging(): string {
    return join(this.layout.jobs, `.${this.life.name}`);
  }

  /** Adds an event to this worker's log. A log that cannot be written stops nothing. */
  log(event: LogEvent): void {
    const path = join(this.layout.logs, `${this.life.name}.jsonl`);
    try {
      this.#log ??= Deno.openSync(path, { append: true, create: true });
      this.#log.writeSync(new TextEncoder().encode(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`));
    } catch {
      // The disk may be full; what is measured matters more.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.claims[Symbol.dispose]();
    this.#log?.close();
    await Deno.remove(this.staging, { recursive: true }).catch(() => {});
    await this.life[Symbol.asyncDispose]();
  }
}

/** Age from which what a dead worker left is removed, ms: a younger one may be about to lock its file. */
const OLD_MS = 60_000;

/** Removes what dead workers of this machine left: their locks, and folders that were to be moved into place. */
async function clean({ workers, jobs }: Layout, host: string): Promise<void> {
  for (const file of await namesIn(workers)) {
    const name = file.replace(/\.lock$/, "");
    if (!isLifeOf(name, host)) continue;
    const { mtime } = await Deno.stat(join(workers, file)).catch(() => ({ mtime: null }));
    if (mtime === null || Date.now() - mtime.getTime() < OLD_MS || !await isOver(workers, name)) continue;
    await Deno.remove(join(jobs, `.${name}`), { recursive: true }).catch(() => {});
    await Deno.remove(join(workers, file)).catch(() => {});
  }
}

/** Names that a sweep's folder may hold. */
const OWN = ["plan.json", "plans", "jobs", "claims", "cells", "failed", "baselines", "workers", "logs", "slurm"];

async function checkFolder(layout: Layout): Promise<void> {
  const info = await Deno.stat(layout.folder).catch(() => undefined);
  if (info === undefined) return;
  const why = info.isDirectory ? undefined : "it is a file";
  const names = why === undefined ? await namesIn(layout.folder) : [];
  const isSweep = names.length === 0 || names.some((name) => OWN.includes(name));
  if (why === undefined && isSweep) return;
  throw new InputError(
    `Cannot sweep into ${layout.folder}: ${why ?? `it holds other files, such as ${names[0]}`}; ` +
      "name a new folder, or that of an earlier sweep, with --output",
  );
}

/** This process's batch job, as `JOB` or `JOB_TASK`; undefined outside of Slurm. */
function slurmTask(): string | undefined {
  const array = readEnv("SLURM_ARRAY_JOB_ID");
  const task = readEnv("SLURM_ARRAY_TASK_ID");
  return array !== undefined && task !== undefined ? `${array}_${task}` : readEnv("SLURM_JOB_ID");
}
