import { join } from "@std/path";

/** Name of a worker's process within a sweep's folder, and the lock that ends with it. */
export interface LifeOptions {
  /** The sweep's folder of workers; made if it is missing. */
  readonly folder: string;
  /** The machine's name. */
  readonly host: string;
  /** The process's id. */
  readonly pid: number;
}

/**
 * The life of a process that works on a sweep: a file that it keeps locked until it ends, however it ends. Processes of
 * the same machine see by the lock, at once, that it is dead. Other machines, and file systems without locks, go by
 * heartbeats.
 *
 * @example
 * ```ts
 * import { isOver, Life } from "./life.ts";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using life = await Life.begin({ folder, host: "node1", pid: Deno.pid });
 *   console.log(await isOver(folder, life.name)); // false
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class Life implements AsyncDisposable {
  readonly #file: Deno.FsFile;

  private constructor(
    /** Unique among all workers of all machines. */
    readonly name: string,
    readonly options: LifeOptions,
    file: Deno.FsFile,
  ) {
    this.#file = file;
  }

  /** Makes the file and locks it. */
  static async begin(options: LifeOptions): Promise<Life> {
    const { folder, host, pid } = options;
    const name = `${fileSafe(host)}-${pid}-${crypto.randomUUID().slice(0, 8)}`;
    await Deno.mkdir(folder, { recursive: true });
    const file = await Deno.open(lockPath(folder, name), { read: true, write: true, createNew: true });
    // On a file system without locks, nobody can tell by the lock.
    await file.tryLock(true).catch(() => {});
    return new Life(name, options, file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file.close();
    await Deno.remove(lockPath(this.options.folder, this.name)).catch(() => {});
  }
}

/**
 * Tells whether a process of this machine is over.
 *
 * @example
 * ```ts
 * import { isOver } from "./life.ts";
 *
 * console.log(await isOver("/tmp", "a process that cleaned up")); // true
 * ```
 *
 * @param folder The sweep's folder of workers.
 * @param name The name of its life.
 * @returns Whether it has ended; undefined if the file system has no locks.
 */
export async function isOver(folder: string, name: string): Promise<boolean | undefined> {
  try {
    using file = await Deno.open(lockPath(folder, name), { read: true, write: true });
    return await file.tryLock(true);
  } catch (error) {
    // It removes the file as its last act.
    return error instanceof Deno.errors.NotFound ? true : undefined;
  }
}

/**
 * Whether a life is that of a worker on a machine. Where locks are of one machine alone, no other one may ask whether it
 * is over.
 *
 * @example
 * ```ts
 * import { isLifeOf } from "./life.ts";
 *
 * console.log(isLifeOf("node1-77-0123abcd", "node1"), isLifeOf("node1-2-77-0123abcd", "node1")); // true false
 * ```
 *
 * @param name The name of the life.
 * @param host The machine's name.
 */
export function isLifeOf(name: string, host: string): boolean {
  const own = `${fileSafe(host)}-`;
  return name.startsWith(own) && /^\d+-[0-9a-f]{8}$/.test(name.slice(own.length));
}

/**
 * Makes a machine's name fit for a file's.
 *
 * @example
 * ```ts
 * import { fileSafe } from "./life.ts";
 *
 * console.log(fileSafe("node 1/a")); // node_1_a
 * ```
 */
export function fileSafe(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80).replace(/^\.+/, "") || "host";
}

function lockPath(folder: string, name: string): string {
  return join(folder, `${name}.lock`);
}
