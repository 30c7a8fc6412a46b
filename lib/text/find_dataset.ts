import type { InputError } from "../util/errors.ts";
import type { HubOptions } from "../hub/hub.ts";
import { suggest } from "../util/suggest.ts";
import type { Fault } from "./byte_text.ts";
import { type DatasetFile, FILE_FORMS, filesOfFolder, localFile } from "./dataset_files.ts";
import { whyUnreadable } from "./file_pieces.ts";
import { filesOfHub, type HubDataset, hubDataset, notHereNor } from "./hub_dataset.ts";
import { builtinDataset, datasetNames } from "./builtin_datasets.ts";

/** Where a data set is. */
export interface FoundDataset {
  /** Its files, in order; undefined for standard input and for a pipe. */
  readonly files?: readonly DatasetFile[];
  /** Path of a pipe, which is read once. */
  readonly pipe?: string;
  /** Whether it is one file, or standard input. */
  readonly isOne: boolean;
  /** Whether it may be of several parts. */
  readonly hasSplits: boolean;
  /** The part that is taken; undefined where all is. */
  readonly split?: string | undefined;
  /** Of one of the hub, the commit. */
  readonly commit?: string;
  /** What its rows are joined by to one text, where they are. */
  readonly joinedBy?: string;
}

/** What is open in this process, as the shell names it for `<(…)`. */
const OPEN_FILE = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;

/** The part that is taken of a data set of the hub if nothing else is said: as the original does. */
const SPLIT = "test";

/**
 * Finds a data set: a path that exists, else a name, else a repository of the hub.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { findDataset } from "./find_dataset.ts";
 *
 * const { files, isOne } = await findDataset("LICENSE", undefined, {}, (why) => new InputError(why));
 * console.log(files![0]!.name, isOne); // LICENSE true
 * ```
 *
 * @param name What was given.
 * @param split Which part, where one was asked for.
 * @param hub How what is on the hub is had.
 * @param fault Makes the error where there is none.
 * @returns Where it is.
 * @throws {InputError} Where there is none, and what would do.
 */
export async function findDataset(
  name: string,
  split: string | undefined,
  hub: HubOptions,
  fault: Fault,
): Promise<FoundDataset> {
  if (name === "-") return { isOne: true, hasSplits: false };
  const here = await local(name, split, fault);
  if (here !== undefined) return here;
  const named = builtinDataset(name);
  if (named === undefined) {
    const dataset = hubDataset(name);
    if (dataset === undefined) throw unknown(name, fault);
    return await ofHub(dataset, split, hub, fault).catch((error) => {
      throw notHereNor(error, fault);
    });
  }
  if ("repo" in named) return await ofHub(named, split, hub, fault);
  return { ...(await local(named.path, undefined, fault))!, hasSplits: false };
}

async function local(path: string, split: string | undefined, fault: Fault): Promise<FoundDataset | undefined> {
  const at = path.replace(OPEN_FILE, "/dev/fd/$1"); // Deno lets nobody open what lies under /proc
  const kind = await placeOf(at, fault);
  if (kind === "pipe") return { pipe: at, isOne: true, hasSplits: false };
  if (kind === "file") return { files: [localFile(path)], isOne: true, hasSplits: false };
  if (kind === "folder") {
    return { files: await filesOfFolder(path, split, fault), isOne: false, hasSplits: true, split };
  }
  return undefined;
}

async function ofHub(dataset: HubDataset, split = SPLIT, hub: HubOptions, fault: Fault): Promise<FoundDataset> {
  const { joinedBy } = dataset;
  const found = await filesOfHub(dataset, split, hub, fault);
  return { ...found, isOne: false, hasSplits: true, split, ...(joinedBy === undefined ? {} : { joinedBy }) };
}

/** What stands at a path; undefined where nothing does. */
async function placeOf(path: string, fault: Fault): Promise<"file" | "folder" | "pipe" | undefined> {
  try {
    const found = await Deno.stat(path);
    if (found.isFile) return "file";
    // A pipe that is named by the user is one of the shell's, as in --dataset <(zcat book.gz).
    return found.isDirectory ? "folder" : found.isFifo ? "pipe" : "file"; // the error for others comes on opening
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    if (OPEN_FILE.test(path)) throw notOpen(fault);
    throw fault(await whyUnreadable(error, path), error);
  }
}

/** The error for a pipe of a shell's that is not there. */
function notOpen(fault: Fault): InputError {
  return fault(
    "nothing is open there; whoever started this process did not hand it on: pipe the text in, as --dataset -",
  );
}

/** The error for what is none of these: a guess at which was meant. */
function unknown(name: string, fault: Fault): InputError {
  const all = `give one of ${datasetNames.join(", ")}, ${FILE_FORMS}, or - for standard input`;
  if (OPEN_FILE.test(name)) return notOpen(fault);
  if (/[/\\]|\.\w+$/.test(name)) return fault(`there is no such file; ${all}`);
  const near = suggest(name, datasetNames);
  return fault(`there is no such data set or file; ${near === undefined ? "" : `did you mean ${near}? `}${all}`);
}
