import { cpus } from "node:os";
import process from "node:process";
import { allowedCpus } from "../../process/allowed_cpus.ts";
import type { Conditions } from "../../report/results/spread_types.ts";

/** Shortest time that says something, ms: the system counts a core's time in ticks of 1 to 10 ms. */
const SHORTEST_MS = 100;

/** Times since the machine started, ms, summed over the cores that this process may use. */
interface CoreTimes {
  /** Time in which a core did something. */
  readonly busy: number;
  /** All time that the system accounts for. */
  readonly all: number;
}

/**
 * Measures how many cores other processes keep busy, from its construction to {@linkcode HostLoad.end}: the busy time of
 * the cores, less the CPU time of this process with all its threads. Cores that this process may not use (in a
 * container with a CPU set, or under taskset) do not count.
 *
 * Costs two readings of the system's counters. Needs `--allow-sys=cpus,loadavg`, and on Linux `--allow-ffi` to find out
 * which cores it may use.
 *
 * @example
 * ```ts
 * import { HostLoad } from "./host_load.ts";
 *
 * const load = new HostLoad();
 * await new Promise((resolve) => setTimeout(resolve, 150));
 * const { other_cores, load_average } = load.end();
 * console.log(other_cores, load_average); // such as 0.04 0.31
 * ```
 */
export class HostLoad {
  readonly #loadAverage = Deno.loadavg()[0]!;
  readonly #cpus = allowedCpus();
  // The process's own time last here and first at the end: what it needs to read the cores' times is within both.
  readonly #cores = coreTimes(this.#cpus);
  readonly #start = performance.now();
  readonly #own = ownTime();

  /**
   * Returns what the host did.
   *
   * @returns Mean number of cores that other processes kept busy, null if the time was too short or the system does not
   * count; and the load average of the minute before this began.
   */
  end(): Pick<Conditions, "other_cores" | "load_average"> {
    const own = ownTime() - this.#own;
    const wall = performance.now() - this.#start;
    const cores = coreTimes(this.#cpus);
    return {
      other_cores: otherCores({
        busy: cores.busy - this.#cores.busy,
        all: cores.all - this.#cores.all,
        own,
        wall,
      }),
      load_average: this.#loadAverage,
    };
  }
}

/**
 * Returns the mean number of cores that other processes kept busy.
 *
 * @param times Busy time of the cores, all their time that the system accounts for, CPU time of this process, and time
 * that passed, ms.
 * @returns Cores, at least 0; null if the time was too short, or the system's counters stand still (some sandboxes).
 *
 * @example
 * ```ts
 * import { otherCores } from "./host_load.ts";
 *
 * console.log(otherCores({ busy: 3000, all: 8000, own: 1000, wall: 2000 })); // 1
 * ```
 */
export function otherCores(
  { busy, all, own, wall }: {
    readonly busy: number;
    readonly all: number;
    readonly own: number;
    readonly wall: number;
  },
): number | null {
  if (wall < SHORTEST_MS || all <= 0) return null;
  // Ticks may attribute a little too little.
  return Math.max(0, busy - own) / wall;
}

function coreTimes(allowed: ReadonlySet<number> | null): CoreTimes {
  const cores = cpus();
  // Cores are listed by number. If some are switched off, the numbers do not say which line is whose.
  const known = allowed !== null && [...allowed].every((cpu) => cpu < cores.length) ? allowed : null;
  let busy = 0, idle = 0;
  for (const [cpu, { times }] of cores.entries()) {
    if (known !== null && !known.has(cpu)) continue;
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, all: busy + idle };
}

/** CPU time of this process so far, all threads, ms. */
function ownTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
