import { join } from "@std/path";
import { type Claim, Claims, type Owner } from "../store/claims.ts";
import { isOver, Life } from "../store/life.ts";
import { STALE_S } from "../store/store.ts";

/** Folder of the lock. Its name is hidden: what looks for results does not enter it. */
const FOLDER = ".lock";
const NAME = "nightly";
/** Wait between two looks at another machine's heartbeat, ms. */
const LOOK_MS = 5000;

/** The lock, or who holds it: undefined if that cannot be read. */
export type NightLocked =
  | { readonly lock: NightLock; readonly heldBy?: undefined }
  | { readonly lock?: undefined; readonly heldBy: Owner | undefined };

/** The lock of a folder of nights: of one process at a time, on any machine that has the folder. */
export class NightLock implements AsyncDisposable {
  private constructor(readonly life: Life, readonly claims: Claims, readonly claim: Claim) {}

  /**
   * Takes the lock. That of a process that is over is taken over: on this machine at once. Of another machine's process,
   * heartbeats are watched for two minutes.
   *
   * @example
   * ```ts
   * import { NightLock } from "./night_lock.ts";
   *
   * const nights = await Deno.makeTempDir();
   * {
   *   const { lock } = await NightLock.take(nights);
   *   const { heldBy } = await NightLock.take(nights);
   *   console.log(heldBy?.pid === Deno.pid); // true
   *   await lock?.[Symbol.asyncDispose]();
   * }
   * await Deno.remove(nights, { recursive: true });
   * ```
   *
   * @param nights The folder of all nights.
   * @param options Settings for tests: the machine's name, and the seconds without a heartbeat.
   * @returns The lock, or who holds it.
   */
  static async take(
    nights: string,
    { host = Deno.hostname(), stale = STALE_S }: { readonly host?: string; readonly stale?: number } = {},
  ): Promise<NightLocked> {
    const workers = join(nights, FOLDER, "workers");
    await Deno.mkdir(join(nights, FOLDER), { recursive: true });
    const life = await Life.begin({ folder: workers, host, pid: Deno.pid });
    const claims = new Claims({ folder: join(nights, FOLDER), life, stale });
    const until = performance.now() + stale * 1000 + 2 * LOOK_MS;
    for (;;) {
      const { claim, heldBy } = await claims.take(NAME);
      if (claim !== undefined) return { lock: new NightLock(life, claims, claim) };
      const isAlive = heldBy?.host === host && await isOver(workers, heldBy.life) === false;
      if (isAlive || performance.now() > until) {
        claims[Symbol.dispose]();
        await life[Symbol.asyncDispose]();
        return { heldBy };
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, stale * 250)));
    }
  }

  /** Whether another process has taken it over: this one seemed dead. */
  get isLost(): boolean {
    return this.claim.lost.aborted;
  }

  /** The dead process that it was taken over from, if any. */
  get previous(): Owner | undefined {
    return this.claim.previous;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.claim[Symbol.asyncDispose]();
    this.claims[Symbol.dispose]();
    await this.life[Symbol.asyncDispose]();
  }
}
