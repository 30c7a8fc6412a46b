import type { InputError } from "../util/errors.ts";
import type { HubOptions } from "../hub/hub.ts";
import { suggest } from "../util/suggest.ts";
import type { Fault } from "./byte_text.ts";
import { type DatasetFile, FILE_FORMS, filesOfFolder, localFile } from "./dataset_files.ts";
import { whyUnreadable } from "./file_pieces.ts";
import { filesOfHub, type HubDataset, hubDataset, notHereNor } from "./hub_dataset.ts";
import { builtinDataset, datasetNames } from "./builtin_datasets.ts";

/** Location of a data set. */
export interface FoundDataset {
  /** Its files, in order; undefined for standard input and for a pipe. */
  readonly files?: readonly DatasetFile[];
  /** Path of a pipe, which is read once. */
  readonly pipe?: string;
  /** Whether it is one file, or standard input. */
  readonly isOne: boolean;
  /** Whether it may have splits. */
  readonly hasSplits: boolean;
  /** The split to use; undefined for all files. */
  readonly split?: string | undefined;
  /** Commit, for a data set on the hub. */
  readonly commit?: string;
  /** Separator that joins its rows to one text, if they are joined. */
  readonly joinedBy?: string;
}

/** Path of a file open in this process, as a shell writes it for `<(…)`. */
const OPEN_FILE = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;

/** Default split of a data set on the hub, as in the Python benchmark. */
const SPLIT = "test";

/**
 * Finds a data set: a path that exists, else a name, else a repository on the hub.
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
 * @param name The data set, as given.
 * @param split The split, if one was requested.
 * @param hub Hub download options.
 * @param fault Makes the error if it does not exist.
 * @returns Its location.
 * @throws {InputError} If it does not exist, with what would do.
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
  const at = path.replace(OPEN_FILE, "/dev/fd/$1"); // Deno opens no path under /proc
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

/** Returns what a path is; undefined if it does not exist. */
async function placeOf(path: string, fault: Fault): Promise<"file" | "folder" | "pipe" | undefined> {
  try {
    const found = await Deno.stat(path);
    if (found.isFile) return "file";
    // A pipe named by the user is usually made by the shell, as in --dataset <(zcat book.gz).
    return found.isDirectory ? "folder" : found.isFifo ? "pipe" : "file"; // other types fail on opening
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    if (OPEN_FILE.test(path)) throw notOpen(fault);
    throw fault(await whyUnreadable(error, path), error);
  }
}

/** Returns the error for a shell's pipe that does not exist. */
function notOpen(fault: Fault): InputError {
  return fault(
    "nothing is open there; the program that started this process did not pass it on: pipe the text in, as --dataset -",
  );
}

/** Returns the error for an unknown data set, with a guess at which was meant. */
function unknown(name: string, fault: Fault): InputError {
  const all = `give one of ${datasetNames.join(", ")}, ${FILE_FORMS}, or - for standard input`;
  if (OPEN_FILE.test(name)) return notOpen(fault);
  if (/[/\\]|\.\w+$/.test(name)) return fault(`there is no such file; ${all}`);
  const near = suggest(name, datasetNames);
  return fault(`there is no such data set or file; ${near === undefined ? "" : `did you mean ${near}? `}${all}`);
}
