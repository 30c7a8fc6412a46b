import { join } from "@std/path";
import { number, object, optional, string } from "../../report/results/json_reader.ts";
import { readJson } from "../../report/results/read_json.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { isOver, type Life } from "./life.ts";

/** Who holds a claim: the content of its owner.json. */
export interface Owner {
  /** Name of the process's life; see {@linkcode Life}. */
  life: string;
  /** Distinguishes this claim from all others. */
  token: string;
  /** The machine's name. */
  host: string;
  /** The process's id there. */
  pid: number;
  /** When it was claimed, ISO 8601. */
  started: string;
  /** Of a batch job: its id, as `JOB_TASK` for a task of an array. */
  slurm?: string;
}

/** A thing claimed by this process. */
export interface Claim extends AsyncDisposable {
  /** What is claimed. */
  readonly name: string;
  /** This process. */
  readonly owner: Owner;
  /** The dead owner that it was taken over from, if any. */
  readonly previous?: Owner;
  /** Aborted when another process has taken it over: this one seemed dead. */
  readonly lost: AbortSignal;
}

/** A claim, or the owner of the claim that kept this process from it; undefined if the owner is unknown. */
export type Taken =
  | { readonly claim: Claim; readonly heldBy?: undefined }
  | { readonly claim?: undefined; readonly heldBy: Owner | undefined };

/** Settings of claims. */
export interface ClaimOptions {
  /** The folder of claims. */
  readonly folder: string;
  /** This process. */
  readonly life: Life;
  /** Seconds without a heartbeat after which a claim is taken over. */
  readonly stale: number;
  /** This process's batch job, if it is one. */
  readonly slurm?: string | undefined;
  /** A clock that only goes forward, ms. */
  readonly now?: () => number;
}

const readOwner = object<Owner>({
  life: string,
  token: string,
  host: string,
  pid: number,
  started: string,
  slurm: optional(string),
});

/** A claim's heartbeat, as this process saw it. */
interface Seen {
  readonly token: string | undefined;
  readonly beat: string;
  /** When this process first saw this beat. */
  readonly since: number;
  /** Whether its owner gave a sign of life while this process watched. */
  readonly isAlive: boolean;
}

/** Beats within the time after which a claim is stale. */
const BEATS = 6;
/** Longest time between two beats, ms. */
const SLOWEST_BEAT_MS = 10_000;

/**
 * Claims things of a sweep for this process, on a file system where only renaming is atomic. A claim is a folder that
 * is renamed into place with its owner.json in it: of two processes one succeeds, as a folder cannot be renamed onto
 * one that is not empty. While the claim is held, its heartbeat file changes.
 *
 * A claim is taken over if its owner's process is over, or if its heartbeat has not changed for the stale time while
 * this process watched: clocks of other machines do not matter.
 *
 * @example
 * ```ts
 * import { Claims } from "./claims.ts";
 * import { Life } from "./life.ts";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using life = await Life.begin({ folder: `${folder}/workers`, host: "node1", pid: Deno.pid });
 *   using claims = new Claims({ folder: `${folder}/claims`, life, stale: 120 });
 *   const { claim } = await claims.take("a");
 *   const { heldBy } = await claims.take("a");
 *   console.log(claim?.name, heldBy?.host); // a node1
 *   await claim?.[Symbol.asyncDispose]();
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class Claims implements Disposable {
  readonly #held = new Map<string, { readonly owner: Owner; readonly lost: AbortController }>();
  readonly #seen = new Map<string, Seen>();
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #beats = 0;

  constructor(readonly options: ClaimOptions) {
    this.#now = options.now ?? (() => performance.now());
    this.#timer = setInterval(() => void this.beat(), Math.min(SLOWEST_BEAT_MS, options.stale * 1000 / BEATS));
    Deno.unrefTimer(this.#timer);
  }

  /**
   * Claims a thing, if it is free or its owner is dead.
   *
   * @param name Its name, fit for a file.
   * @returns The claim, or who holds it.
   */
  async take(name: string): Promise<Taken> {
    const known = await this.ownerOf(name);
    // Looking is cheaper than trying.
    if (known !== undefined && !await this.isStale(name, known)) return { heldBy: known };
    const first = known === undefined ? await this.#place(name) : undefined;
    if (first !== undefined) return { claim: this.#claim(name, first) };
    const holder = known ?? await this.ownerOf(name);
    if (known === undefined && !await this.isStale(name, holder)) return { heldBy: holder };
    if (!await this.#remove(name, holder?.token)) return { heldBy: await this.ownerOf(name) };
    const second = await this.#place(name);
    if (second === undefined) return { heldBy: await this.ownerOf(name) };
    return { claim: this.#claim(name, second, holder) };
  }

  /** Returns who holds a claim; undefined if nobody does, or its file is missing. */
  async ownerOf(name: string): Promise<Owner | undefined> {
    return await ownerIn(this.options.folder, name);
  }

  /** Returns the names of all claims, dead ones included. */
  async names(): Promise<string[]> {
    try {
      const entries = await Array.fromAsync(Deno.readDir(this.options.folder));
      return entries.map(({ name }) => name).filter((name) => !name.startsWith("."));
    } catch {
      return [];
    }
  }

  /** Tells whether a claim's owner is dead. Must be asked again and again to notice missing heartbeats. */
  async isStale(name: string, owner: Owner | undefined): Promise<boolean> {
    const { life, stale, folder } = this.options;
    const isHere = owner?.host === life.options.host;
    const isGone = isHere ? await isOver(life.options.folder, owner.life) : undefined;
    if (isGone === true) return true;
    const count = await Deno.readTextFile(join(folder, name, "beat")).catch(() => "");
    const beat = `${owner?.token} ${count}`;
    const seen = this.#seen.get(name);
    const isSame = seen !== undefined && seen.beat === beat;
    // A lock that is held is a sign of life too.
    const isAlive = isGone === false || (isSame ? seen.isAlive : seen !== undefined && seen.token === owner?.token);
    this.#seen.set(name, { token: owner?.token, beat, since: isSame ? seen.since : this.#now(), isAlive });
    return isSame && this.#now() - seen.since >= stale * 1000;
  }

  /**
   * Whether a claim's owner gave a sign of life while this process watched, and not long ago. False says nothing: this
   * process may not have watched long enough.
   */
  isAlive(name: string): boolean {
    const seen = this.#seen.get(name);
    return seen !== undefined && seen.isAlive && this.#now() - seen.since < this.options.stale * 1000 / 2;
  }

  /** Changes the heartbeat of each claim held, and notices those that were taken over. */
  async beat(): Promise<void> {
    const count = `${++this.#beats}\n`;
    for (const [name, { owner, lost }] of [...this.#held]) {
      const path = join(this.options.folder, name);
      try {
        const holder = await readJson(join(path, "owner.json"), readOwner);
        if (holder.token !== owner.token) lost.abort(new Error("another process took this over"));
        else await Deno.writeTextFile(join(path, "beat"), count);
      } catch (error) {
        const { cause } = error as Error;
        const isGone = [error, cause].some((one) => one instanceof Deno.errors.NotFound);
        // A file system that does not answer for a moment is no reason to stop.
        if (isGone && this.#held.get(name)?.owner === owner) lost.abort(new Error("another process took this over"));
      }
    }
  }

  /** Renames a claim's folder into place; undefined if there is one already. */
  async #place(name: string): Promise<Owner | undefined> {
    const { folder, life, slurm } = this.options;
    const { host, pid } = life.options;
    const token = crypto.randomUUID();
    const started = new Date().toISOString();
    const owner: Owner = { life: life.name, token, host, pid, started, ...(slurm === undefined ? {} : { slurm }) };
    const made = join(folder, `.new-${token}`);
    await Deno.mkdir(made, { recursive: true });
    await Deno.writeTextFile(join(made, "beat"), "0\n");
    await writeAtomic(join(made, "owner.json"), `${JSON.stringify(owner)}\n`);
    try {
      await Deno.rename(made, join(folder, name));
      return owner;
    } catch (error) {
      await Deno.remove(made, { recursive: true }).catch(() => {});
      // NFS may report an error for a renaming that it has done.
      const holder = await this.ownerOf(name);
      if (holder?.token === token) return owner;
      if (holder !== undefined || await isThere(join(folder, name))) return undefined;
      if (isTaken(error)) return undefined;
      throw error;
    }
  }

  #claim(name: string, owner: Owner, previous?: Owner): Claim {
    const lost = new AbortController();
    this.#held.set(name, { owner, lost });
    return {
      name,
      owner,
      ...(previous === undefined ? {} : { previous }),
      lost: lost.signal,
      [Symbol.asyncDispose]: async () => {
        this.#held.delete(name);
        if (!lost.signal.aborted) await this.#remove(name, owner.token);
      },
    };
  }

  /** Removes a claim if it is still the one with this token. Of several processes one succeeds. */
  async #remove(name: string, token: string | undefined): Promise<boolean> {
    const { folder } = this.options;
    const away = join(folder, `.old-${crypto.randomUUID()}`);
    try {
      await Deno.rename(join(folder, name), away);
    } catch {
      return false;
    }
    const moved = await readJson(join(away, "owner.json"), readOwner).catch(() => undefined);
    if (moved?.token !== token) {
      // Another process took it over meanwhile: give it back. If a third one has claimed it by now, that one keeps it.
      const isBack = await Deno.rename(away, join(folder, name)).then(() => true, () => false);
      if (isBack) return false;
    }
    await Deno.remove(away, { recursive: true }).catch(() => {});
    return moved?.token === token;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/**
 * Reads who holds a claim in a folder of claims; undefined if nobody does, or its file is missing.
 *
 * @example
 * ```ts
 * import { ownerIn } from "./claims.ts";
 *
 * console.log(await ownerIn("there is no such folder", "job")); // undefined
 * ```
 */
export async function ownerIn(folder: string, name: string): Promise<Owner | undefined> {
  return await readJson(join(folder, name, "owner.json"), readOwner).catch(() => undefined);
}

/**
 * Whether a renaming failed because a folder of that name exists and is not empty.
 *
 * @example
 * ```ts
 * import { isTaken } from "./claims.ts";
 *
 * console.log(isTaken(new Deno.errors.AlreadyExists()), isTaken(new Deno.errors.NotFound())); // true false
 * ```
 */
export function isTaken(error: unknown): boolean {
  return error instanceof Deno.errors.AlreadyExists ||
    error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
