import { dirname, join } from "@std/path";
import { readFlags } from "../../flags/read.ts";
import { splitWords } from "../../flags/words.ts";
import type { Outlet } from "../../process/outlet.ts";
import { fromUserFolder } from "../../process/user_folder.ts";
import { cannotWrite } from "../../report/results/results_folder.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { openHistory } from "../history/open_history.ts";
import { planJobs } from "../plan/plan_jobs.ts";
import { readPlan } from "../plan/read_plan.ts";
import type { Plan, PlannedJob } from "../plan/types.ts";
import { sweep } from "../work/sweep_command.ts";
import { parseSweepFlags } from "../work/sweep_flags.ts";
import { beginNight, endNight, type NightFolder, nightOf } from "./night_folder.ts";
import { NightLock } from "./night_lock.ts";
import { NightLog } from "./night_log.ts";
import { HANDED_ON, NIGHTLY_FLAGS, type NightlyFlags, nightlyHelp } from "./nightly_flags.ts";
import { type NightEnd, runNight } from "./run_night.ts";

/** What `deno task nightly` gets. */
export interface NightlyTools {
  /** Standard output: the summary alone. */
  readonly out: Outlet;
  /** Standard error: mistakes in the command line. */
  readonly err: Outlet;
  /** URL of `bench`'s script. */
  readonly script: string;
}

interface Asked {
  readonly flags: NightlyFlags;
  /** The plan's file. */
  readonly path: string;
  readonly plan: Plan;
  readonly jobs: readonly PlannedJob[];
  /** Flags for the sweep. */
  readonly forSweep: readonly string[];
}

/**
 * Runs `deno task nightly PLAN [flags]`.
 *
 * @example
 * ```ts
 * import { Outlet } from "../../process/outlet.ts";
 * import { nightly } from "./nightly_command.ts";
 *
 * const out = new Outlet(Deno.stdout);
 * console.log(await nightly(["--help"], { out, err: out, script: "" })); // 0
 * await out.flushed();
 * ```
 *
 * @param argv The arguments.
 * @param tools Outputs, and what a job of the sweep runs.
 * @returns The exit code: 0 nothing is worse, 3 a regression, 1 something failed, 128 + the signal that ended it.
 * @throws {InputError} For a mistake in the plan or the flags, before anything is measured.
 */
export async function nightly(argv: readonly string[], tools: NightlyTools): Promise<number> {
  const { words, flags: given } = splitWords(argv, NIGHTLY_FLAGS);
  const { flags, texts } = readFlags<NightlyFlags>(given, NIGHTLY_FLAGS, "--keep 30");
  if (flags.help) {
    tools.out.line(nightlyHelp());
    return 0;
  }
  const [file, ...more] = words;
  if (file === undefined || more.length > 0) {
    throw new InputError(
      `Cannot run a night: ${words.length} plans are given; give one, as in deno task nightly plan.yaml`,
    );
  }
  if (flags.keep <= flags.nights) {
    throw new InputError(
      `Cannot compare with ${flags.nights} earlier nights: --keep ${flags.keep} leaves ${flags.keep - 1}; ` +
        `give --keep ${flags.nights + 1} or more`,
    );
  }
  const path = fromUserFolder(file);
  const read = await readPlan(path);
  const plan = flags.chunk === undefined ? read : { ...read, chunk: flags.chunk };
  const forSweep = HANDED_ON.flatMap((name) => texts[name] === undefined ? [] : [`--${name}=${texts[name]}`]);
  // A value that the sweep would refuse is a mistake of this command line.
  parseSweepFlags(forSweep);
  return await locked({ flags, path, plan, jobs: planJobs(plan, path).jobs, forSweep }, tools);
}

async function locked(asked: Asked, tools: NightlyTools): Promise<number> {
  const { flags, plan } = asked;
  const nights = fromUserFolder(flags.output ?? join("results", `nightly_${plan.name}`));
  const history = flags.history === undefined ? join(dirname(nights), "history.sqlite") : fromUserFolder(flags.history);
  try {
    await Deno.mkdir(nights, { recursive: true });
    await Deno.mkdir(dirname(history), { recursive: true });
  } catch (error) {
    throw cannotWrite(nights, error);
  }
  const { lock, heldBy } = await NightLock.take(nights);
  if (lock === undefined) {
    const who = heldBy === undefined
      ? "another process"
      : `process ${heldBy.pid} on ${heldBy.host}, since ${heldBy.started}`;
    tools.out.line(
      printable(`kvcompress nightly ${plan.name}: FAILED: not started, ${who}, holds the lock of ${nights}`),
    );
    return 1;
  }
  await using _ = lock;
  // A history that cannot be read is better known before the night than after it.
  openHistory(history, "create").close();
  const night = nightOf(new Date());
  const paths = await beginNight(nights, night, plan.name);
  await using log = await NightLog.open(paths.log, undefined, Deno.stderr.isTerminal());
  log.outlet.line(`${plan.name}, night ${night}: ${paths.folder}`);
  if (lock.previous !== undefined) {
    log.outlet.line(`Takes over the lock of process ${lock.previous.pid} on ${lock.previous.host}, which is over`);
  }
  const { code, summary } = await attempt(asked, { nights, history, night, paths, lock, log, tools });
  await endNight(paths, code, summary).catch((error) => log.outlet.line(`${error}`));
  tools.out.line(summary);
  return code;
}

/** Runs the night. Whatever happens, there is a line for the mail. */
async function attempt(
  { flags, path, plan, jobs, forSweep }: Asked,
  { nights, history, night, paths, lock, log, tools }: {
    readonly nights: string;
    readonly history: string;
    readonly night: string;
    readonly paths: NightFolder;
    readonly lock: NightLock;
    readonly log: NightLog;
    readonly tools: NightlyTools;
  },
): Promise<NightEnd> {
  const { outlet } = log;
  const { keep, nights: count, hook, min_time, min_quality, min_memory } = flags;
  try {
    return await runNight({
      ...{ plan: plan.name, jobs, night, nights, paths, history, keep, count, hook },
      compare: { min_time, min_quality, min_memory },
      sweep: async (folder, more) =>
        await sweep([path, `--output=${folder}`, ...forSweep, ...more], {
          ...{ out: outlet, err: outlet, script: tools.script, isTerminal: false },
        }),
      isLost: () => lock.isLost,
      log: (text) => outlet.line(text),
    });
  } catch (error) {
    const isMistake = error instanceof InputError;
    outlet.line(isMistake ? error.message : (error as Error).stack ?? `${error}`);
    const reason = (error as Error).message;
    return {
      code: isMistake ? 2 : 1,
      summary: printable(`kvcompress nightly ${plan.name} ${night}: FAILED: ${reason}; ${paths.log}`, 2000),
    };
  }
}
