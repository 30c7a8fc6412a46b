import { join } from "@std/path";
import { printable } from "../util/printable.ts";
import type { Fault } from "./byte_text.ts";
import { whyUnreadable } from "./file_pieces.ts";

/** How a file holds its texts: as one, in a column, or in rows of JSON. */
export type FileKind = "parquet" | "jsonl" | "json" | "text";

/** Supported forms of a data set, for errors. */
export const FILE_FORMS = "a UTF-8 .txt, .jsonl, .json or .parquet file, or a folder of such files";

/** Kinds by extension. If a folder has several kinds, the first one here is chosen. */
const EXTENSIONS: readonly (readonly [FileKind, RegExp])[] = [
  ["parquet", /\.parquet$/i],
  ["jsonl", /\.(?:jsonl|ndjson)(?:\.gz)?$/i],
  ["json", /\.json(?:\.gz)?$/i],
  ["text", /\.txt(?:\.gz)?$/i],
];

/**
 * Returns the kind of a file by its name. An unknown extension counts as text, the usual form of books. Other tables
 * and archives are rejected: read as text, their syntax would be measured too.
 *
 * @example
 * ```ts
 * import { fileKind } from "./dataset_files.ts";
 * import { InputError } from "../util/errors.ts";
 *
 * console.log(fileKind("pile.jsonl.gz", (why) => new InputError(why))); // jsonl
 * ```
 *
 * @param path The file.
 * @param fault Makes the error.
 * @returns Its kind.
 */
export function fileKind(path: string, fault: Fault): FileKind {
  const found = EXTENSIONS.find(([, extension]) => extension.test(path));
  if (found !== undefined) return found[0];
  const other = /\.(csv|tsv|arrow|feather|parquet\.gz|zip|tar|tgz|tar\.gz|xz|bz2|zst|pdf|epub|html?)$/i.exec(path)?.[1];
  if (other !== undefined) throw fault(`.${other.toLowerCase()} files cannot be read; give ${FILE_FORMS}`);
  return "text";
}

/** A file of a data set. */
export interface DatasetFile {
  /** Its name in errors, with its extension. */
  readonly name: string;
  /** Makes the file available, and returns its path on this machine. */
  readonly fetch: () => Promise<string>;
}

/** Makes the entry of a file on this machine. */
export function localFile(path: string): DatasetFile {
  return { name: path, fetch: () => Promise.resolve(path) };
}

/**
 * Returns the files of a folder and its subfolders that {@linkcode chooseFiles} chooses.
 *
 * @param folder The folder.
 * @param split If given, only files of this split.
 * @param fault Makes the error for a folder without such files.
 * @returns The files.
 */
export async function filesOfFolder(folder: string, split: string | undefined, fault: Fault): Promise<DatasetFile[]> {
  const all = await Array.fromAsync(walk(folder, "", fault));
  return chooseFiles(all, split, "this folder", fault).map((name) => localFile(join(folder, name)));
}

/**
 * Chooses the files of a folder that are its texts: those of one kind, Parquet first, so that a data set's cards and
 * licenses are not read as texts.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { chooseFiles } from "./dataset_files.ts";
 *
 * const paths = ["README.md", "info.json", "data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"];
 * console.log(chooseFiles(paths, "test", "this folder", (why) => new InputError(why)));
 * // [ "data/test-00000-of-00001.parquet" ]
 * ```
 *
 * @param paths All files.
 * @param split If given, only files whose path has this as a part of a name: `test.jsonl`, `data/test-00000.parquet`,
 * `wikitext/test/0000.parquet`.
 * @param where Name of the folder in errors.
 * @param fault Makes the error if no file fits.
 * @returns Paths, sorted.
 */
export function chooseFiles(
  paths: readonly string[],
  split: string | undefined,
  where: string,
  fault: Fault,
): string[] {
  for (const [, extension] of EXTENSIONS) {
    const files = paths.filter((name) => extension.test(name)).sort();
    if (files.length === 0) continue;
    const chosen = files.filter((name) => split === undefined || isOfSplit(name, split));
    if (chosen.length > 0) return chosen;
    const some = `${files.slice(0, 8).map((name) => printable(name, 100)).join(", ")}${
      files.length > 8 ? `, … (${files.length})` : ""
    }`;
    throw fault(`no file in ${where} is of --split ${split}; there are ${some}`);
  }
  throw fault(`there is no .txt, .jsonl, .json or .parquet file in ${where}`);
}

/**
 * Whether a file belongs to a split, by the naming of the hub's data sets.
 *
 * @example
 * ```ts
 * import { isOfSplit } from "./dataset_files.ts";
 *
 * console.log(isOfSplit("data/test-00000-of-00001.parquet", "test"), isOfSplit("contest.txt", "test")); // true false
 * ```
 *
 * @param path The file's path in its data set.
 * @param split The split: train, validation, test, or another name.
 * @returns Whether a part of the path is the split's name.
 */
export function isOfSplit(path: string, split: string): boolean {
  return path.toLowerCase().split(/[/\\]/).some((part) => part.split(/[-._]/).includes(split.toLowerCase()));
}

async function* walk(folder: string, below: string, fault: Fault): AsyncGenerator<string> {
  const here = join(folder, below);
  try {
    for await (const { name, isDirectory } of Deno.readDir(here)) {
      if (name.startsWith(".")) continue;
      const path = below === "" ? name : `${below}/${name}`;
      if (isDirectory) yield* walk(folder, path, fault);
      else yield path;
    }
  } catch (error) {
    if (error instanceof Error && error.name === "InputError") throw error;
    throw fault(`${here}: ${await whyUnreadable(error, here)}`, error);
  }
}
