import { join } from "@std/path";
import { formatJson } from "../../report/results/json.ts";
import { list, number, object, oneOf, string } from "../../report/results/json_reader.ts";
import { readJson } from "../../report/results/read_json.ts";
import { localTimestamp } from "../../report/results/results_folder.ts";
import { InputError } from "../../util/errors.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { momentOf } from "../history/nights.ts";
import { namesIn } from "../store/cells.ts";

/** Name of the file that tells a night's folder. */
const NIGHT_FILE = "night.json";
const MADE_BY = "deno task nightly";

/** Content of night.json. */
export interface NightRecord {
  made_by: typeof MADE_BY;
  /** Name of the plan. */
  plan: string;
  /** `YYYY-MM-DD`, the date of its evening; name of the folder. */
  night: string;
  /** Each time that the command ended in this folder: when (ISO 8601), its exit code, and the line that it printed. */
  ends: { at: string; code: number; summary: string }[];
}

const readRecord = object<NightRecord>({
  made_by: oneOf(MADE_BY),
  plan: string,
  night: string,
  ends: list(object({ at: string, code: number, summary: string })),
});

/** Paths within a night's folder. */
export interface NightFolder {
  readonly folder: string;
  /** The sweep. */
  readonly sweep: string;
  /** The sweep of what was measured again. */
  readonly again: string;
  readonly log: string;
  readonly comparison: { readonly text: string; readonly json: string };
  readonly page: string;
}

/**
 * Returns the paths within a night's folder.
 *
 * @example
 * ```ts
 * import { nightFolder } from "./night_folder.ts";
 *
 * console.log(nightFolder("/data/nightly", "2026-11-24").sweep); // /data/nightly/2026-11-24/sweep
 * ```
 *
 * @param nights The folder of all nights.
 * @param night `YYYY-MM-DD`.
 */
export function nightFolder(nights: string, night: string): NightFolder {
  const folder = join(nights, night);
  return {
    folder,
    sweep: join(folder, "sweep"),
    again: join(folder, "again"),
    log: join(folder, "nightly.log"),
    comparison: { text: join(folder, "comparison.txt"), json: join(folder, "comparison.json") },
    page: join(folder, "report.html"),
  };
}

/**
 * Returns the night that it is: from noon to noon, local time, as in the history.
 *
 * @example
 * ```ts
 * import { nightOf } from "./night_folder.ts";
 *
 * console.log(nightOf(new Date(2026, 10, 25, 2, 30))); // 2026-11-24
 * ```
 *
 * @param now The moment.
 * @returns `YYYY-MM-DD`, the date of its evening.
 */
export function nightOf(now: Date): string {
  return momentOf(localTimestamp(now))!.night;
}

/**
 * Makes tonight's folder, or takes the one that is there.
 *
 * @example
 * ```ts
 * import { beginNight, nightsIn } from "./night_folder.ts";
 *
 * const nights = await Deno.makeTempDir();
 * await beginNight(nights, "2026-11-24", "paper");
 * console.log(await nightsIn(nights, "paper")); // [ "2026-11-24" ]
 * await Deno.remove(nights, { recursive: true });
 * ```
 *
 * @param nights The folder of all nights; it exists.
 * @param night `YYYY-MM-DD`.
 * @param plan Name of the plan.
 * @throws {InputError} If the folder of that name is of something else.
 */
export async function beginNight(nights: string, night: string, plan: string): Promise<NightFolder> {
  const paths = nightFolder(nights, night);
  if (await isNight(nights, night, plan)) return paths;
  const { isDirectory } = await Deno.lstat(paths.folder).catch(() => ({ isDirectory: undefined }));
  if (isDirectory === false || (await namesIn(paths.folder)).length > 0) {
    throw new InputError(
      `Cannot write into ${paths.folder}: ${MADE_BY} did not make it for the plan ${plan}; name another folder with --output`,
    );
  }
  await Deno.mkdir(paths.folder, { recursive: true });
  await write(paths, { made_by: MADE_BY, plan, night, ends: [] });
  return paths;
}

/**
 * Notes in a night's folder how the command ended.
 *
 * @example
 * ```ts
 * import { endNight, type NightFolder } from "./night_folder.ts";
 *
 * const note = (paths: NightFolder) => endNight(paths, 0, "nothing is worse");
 * ```
 *
 * @param paths The night's.
 * @param code The exit code.
 * @param summary The line that was printed.
 */
export async function endNight(paths: NightFolder, code: number, summary: string): Promise<void> {
  const record = await readJson(join(paths.folder, NIGHT_FILE), readRecord);
  record.ends.push({ at: new Date().toISOString(), code, summary });
  await write(paths, record);
}

/**
 * Lists the nights in a folder that the command made for a plan. Links, and folders of other names or content, are none.
 *
 * @param nights The folder of all nights.
 * @param plan Name of the plan.
 * @returns Names, the oldest first.
 */
export async function nightsIn(nights: string, plan: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await namesIn(nights)) if (await isNight(nights, name, plan)) found.push(name);
  return found;
}

async function isNight(nights: string, name: string, plan: string): Promise<boolean> {
  if (!/^\d{4}-\d\d-\d\d$/.test(name)) return false;
  const marker = join(nights, name, NIGHT_FILE);
  try {
    const isPlain = (await Deno.lstat(join(nights, name))).isDirectory && (await Deno.lstat(marker)).isFile;
    const record = isPlain ? await readJson(marker, readRecord) : undefined;
    return record?.plan === plan && record.night === name;
  } catch {
    return false;
  }
}

async function write({ folder }: NightFolder, record: NightRecord): Promise<void> {
  await writeAtomic(join(folder, NIGHT_FILE), `${formatJson(record)}\n`);
}
