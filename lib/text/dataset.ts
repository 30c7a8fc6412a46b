import { createHash } from "node:crypto";
import { InputError } from "../errors.ts";
import { sha256OfFile } from "../sha256.ts";
import { suggest } from "../suggest.ts";
import { ByteText, type Fault, onlyText } from "./byte_text.ts";
import { FILE_FORMS, fileKind, filesOfFolder } from "./dataset_files.ts";
import { whyUnreadable } from "./file_pieces.ts";
import { LongTexts, onlyOne, type Rows } from "./long_texts.ts";
import { datasetNames, packagedPath } from "./named.ts";
import { textsOfFile } from "./rows.ts";
import { standardInput } from "./stdin.ts";
import type { TextSource } from "./text_source.ts";

/** What {@linkcode openDataset} takes. */
export interface DatasetOptions {
  /** A name of {@linkcode datasetNames}, the path of a file or folder, or `-` for standard input. */
  readonly dataset: string;
  /** Which part of a data set that has parts: train, validation, test. */
  readonly split?: string | undefined;
  /** The column or field that holds the text, in tables; `text` if left out. */
  readonly textColumn?: string | undefined;
  /** Of several texts, those with fewer characters are passed over; 10000 if left out. */
  readonly minChars?: number | undefined;
  /** Told what a person should know. */
  readonly onNote?: (note: string) => void;
}

/** Texts to measure on. Nothing is read before it is asked for, and nothing twice: the texts can be gone through once. */
export interface Dataset {
  /** What was asked for. */
  readonly name: string;
  /** The texts, in order. Of a data set with several, those that are long enough. */
  readonly texts: AsyncIterable<TextSource>;
  /** What was passed over so far, for people; undefined if nothing was. */
  passedOver(): string | undefined;
  /**
   * SHA-256 of what has been read, hexadecimal: of the file, whole; where texts came from several files, of their hashes
   * one after another.
   */
  sha256(): Promise<string>;
}

/** Characters of the shortest text that is taken, where a data set has several: as the original had it. */
export const MIN_CHARS = 10_000;

/**
 * Opens a data set: standard input, one's own file or folder, or one known by name. A path that exists wins over a name.
 *
 * @example
 * ```ts
 * import { openDataset } from "./dataset.ts";
 *
 * const { texts } = await openDataset({ dataset: "moby_dick" });
 * for await (const text of texts) {
 *   console.log((await text.head(20)).text.slice(0, 20)); // CHAPTER 1. Loomings.
 * }
 * ```
 *
 * @param options Which, and which part of it.
 * @returns The data set.
 * @throws {InputError} Where there is none, or it cannot be one. What is wrong with its contents shows when they are read.
 */
export async function openDataset(options: DatasetOptions): Promise<Dataset> {
  const { dataset: name, split, onNote = () => {} } = options;
  const fault: Fault = (why, cause) =>
    new InputError(`Cannot read --dataset ${name}: ${why}`, cause === undefined ? {} : { cause });
  const { files, isFolder, hasSplits } = await filesOf(name, split, fault);
  if (split !== undefined && !hasSplits) onNote(`--split ${split} has no effect: ${name} has no splits`);
  if (files === undefined) {
    const { pieces, sha256 } = standardInput(fault);
    return dataset(name, [new ByteText(onlyText(pieces, fault), fault)], sha256, undefined, fault);
  }
  const kinds = files.map((path) => fileKind(path, fault));
  const { textColumn = "text", minChars = MIN_CHARS } = options;
  if (!Number.isSafeInteger(minChars) || minChars < 1) {
    throw new InputError(`Cannot run with min_chars ${minChars}: give an integer of at least 1`);
  }
  const opened: string[] = [];
  const rows = (async function* () {
    for (const [i, path] of files.entries()) {
      opened.push(path);
      const ofFile: Fault = isFolder ? (why, cause) => fault(`${path}: ${why}`, cause) : fault;
      yield* textsOfFile(path, kinds[i]!, textColumn, ofFile);
    }
  })();
  const isSingle = !isFolder && kinds[0] === "text";
  return dataset(name, rows, () => sha256OfAll(opened), isSingle ? undefined : minChars, fault);
}

/** A data set of several texts, or of one where there is no least length. */
function dataset(
  name: string,
  rows: Rows,
  sha256: () => Promise<string>,
  minChars: number | undefined,
  fault: Fault,
): Dataset {
  if (minChars === undefined) return { name, texts: onlyOne(rows, fault), passedOver: () => undefined, sha256 };
  const long = new LongTexts(rows, minChars, fault);
  return { name, texts: long.texts(), passedOver: () => long.passedOver(), sha256 };
}

/** Where a data set lies; without files where that is standard input. */
async function filesOf(name: string, split: string | undefined, fault: Fault) {
  if (name === "-") return { hasSplits: false, isFolder: false };
  const own = await placeOf(name, fault);
  if (own === "folder") return { files: await filesOfFolder(name, split, fault), isFolder: true, hasSplits: true };
  if (own === "file") return { files: [name], isFolder: false, hasSplits: false };
  const path = packagedPath(name);
  if (path === undefined) throw unknown(name, fault);
  const isFolder = await placeOf(path, fault) === "folder";
  return { files: isFolder ? await filesOfFolder(path, undefined, fault) : [path], isFolder, hasSplits: false };
}

/** What stands at a path; undefined where nothing does. */
async function placeOf(path: string, fault: Fault): Promise<"file" | "folder" | undefined> {
  try {
    return (await Deno.stat(path)).isDirectory ? "folder" : "file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw fault(await whyUnreadable(error, path), error);
  }
}

/** The error for what is neither a path nor a name: a guess at which of the two was meant. */
function unknown(name: string, fault: Fault): InputError {
  const all = `give one of ${datasetNames.join(", ")}, ${FILE_FORMS}, or - for standard input`;
  if (/[/\\]|\.\w+$/.test(name)) return fault(`there is no such file; ${all}`);
  const near = suggest(name, datasetNames);
  return fault(`there is no such data set or file; ${near === undefined ? "" : `did you mean ${near}? `}${all}`);
}

async function sha256OfAll(files: readonly string[]): Promise<string> {
  const hashes: string[] = [];
  for (const file of files) hashes.push(await sha256OfFile(file));
  return hashes.length === 1 ? hashes[0]! : createHash("sha256").update(hashes.join("\n")).digest("hex");
}
