import { createHash } from "node:crypto";
import { InputError } from "../util/errors.ts";
import type { HubOptions } from "../hub/hub.ts";
import { printable } from "../util/printable.ts";
import { sha256OfFile } from "../util/sha256.ts";
import { ByteText, type Fault, onlyText } from "./byte_text.ts";
import { fileKind } from "./dataset_files.ts";
import { findDataset } from "./find_dataset.ts";
import { JoinedText } from "./joined_text.ts";
import { LongTexts, onlyOne } from "./long_texts.ts";
import { textsOfFile } from "./rows.ts";
import { pipeInput, standardInput } from "./stdin.ts";
import type { TextSource } from "./text_source.ts";

/** Options of {@linkcode openDataset}. */
export interface DatasetOptions {
  /**
   * The path of a file or folder, a name of {@linkcode datasetNames}, `org/name` on the hub, or `-` for standard input.
   */
  readonly dataset: string;
  /** Split of a data set that has splits: train, validation or test; on the hub, `test` by default. */
  readonly split?: string | undefined;
  /** Column or field of a table that holds the text; `text` by default. */
  readonly textColumn?: string | undefined;
  /** Least characters of a text, where the data set has several; 10000 by default. */
  readonly minChars?: number | undefined;
  /** Hub download options. */
  readonly hub?: HubOptions | undefined;
  /** Ends reading: requests then fail with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Receives notes for people. */
  readonly onNote?: (note: string) => void;
}

/** How a data set's texts are chosen, under the names in results.json. */
export interface DatasetTerms {
  readonly split: string;
  readonly text_column: string;
  readonly min_chars: number;
}

/** Texts to measure on. They are read on demand, and can be iterated once only. */
export interface Dataset {
  /** The data set, as requested. */
  readonly name: string;
  /** Split, column and least length: only those which have an effect. */
  readonly terms: Partial<DatasetTerms>;
  /** Commit of its files, for a data set on the hub. */
  readonly commit?: string;
  /** The texts, in order. If the data set has several, only those that are long enough. */
  readonly texts: AsyncIterable<TextSource>;
  /** Describes the texts skipped so far, for people; undefined if none was. */
  passedOver(): string | undefined;
  /**
   * Returns the SHA-256 of the data read, hexadecimal. For one file, this covers the whole file. For several files, it
   * is the hash of their concatenated hashes.
   */
  sha256(): Promise<string>;
}

/** Characters of the shortest text to use, where a data set has several: as in the Python benchmark. */
export const MIN_CHARS = 10_000;

/**
 * Opens a data set: standard input, a file or folder, a name of {@linkcode datasetNames}, or one on the hub. A path
 * that exists wins over a name.
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
 * @param options The data set, and which part of it to use.
 * @returns The data set.
 * @throws {InputError} If the data set does not exist or has an unsupported form. Faults of its contents are found when
 * they are read.
 */
export async function openDataset(options: DatasetOptions): Promise<Dataset> {
  const { dataset: name, split, textColumn = "text", minChars = MIN_CHARS, onNote = () => {}, signal } = options;
  if (!Number.isSafeInteger(minChars) || minChars < 1) {
    throw new InputError(`Cannot run with min_chars ${minChars}: give an integer of at least 1`);
  }
  const fault: Fault = (why, cause) =>
    new InputError(`Cannot read --dataset ${name}: ${why}`, cause === undefined ? {} : { cause });
  const found = await findDataset(name, split, options.hub ?? {}, fault);
  const { files, isOne, hasSplits, commit, joinedBy } = found;
  const idle = (flag: string, value: unknown, why: string) => {
    if (value !== undefined) onNote(`--${flag} ${value} has no effect: ${why}`);
  };
  if (!hasSplits) idle("split", split, `${name} has no splits`);
  const kinds = files?.map((file) => fileKind(file.name, fault)) ?? ["text"];
  const isSingle = joinedBy !== undefined || isOne && kinds[0] === "text";
  if (isSingle) idle("min_chars", options.minChars, `${name} is one text`);
  const isTable = kinds.some((kind) => kind !== "text");
  if (!isTable) idle("text_column", options.textColumn, `${name} is not a table`);
  const terms = {
    ...(found.split === undefined ? {} : { split: found.split }),
    ...(isTable ? { text_column: textColumn } : {}),
    ...(isSingle ? {} : { min_chars: minChars }),
  };
  if (files === undefined) {
    const { pieces, sha256 } = found.pipe === undefined
      ? standardInput(fault, signal)
      : pipeInput(found.pipe, fault, signal);
    const text = new ByteText(onlyText(pieces, fault), fault);
    return { name, terms, texts: onlyOne([text], fault), passedOver: () => undefined, sha256 };
  }
  const opened: string[] = [];
  const rows = (async function* () {
    for (const [i, file] of files.entries()) {
      const path = await file.fetch();
      opened.push(path);
      const ofFile: Fault = isOne ? fault : (why, cause) => fault(`${printable(file.name, 200)}: ${why}`, cause);
      for await (const text of textsOfFile(path, kinds[i]!, textColumn, ofFile, signal)) {
        signal?.throwIfAborted();
        yield text;
      }
    }
  })();
  const beside = { name, terms, sha256: () => sha256OfAll(opened), ...(commit === undefined ? {} : { commit }) };
  if (isSingle) {
    const texts = joinedBy === undefined ? rows : [new JoinedText(rows, joinedBy)];
    return { ...beside, texts: onlyOne(texts, fault), passedOver: () => undefined };
  }
  const long = new LongTexts(rows, minChars, fault);
  return { ...beside, texts: long.texts(), passedOver: () => long.passedOver() };
}

async function sha256OfAll(files: readonly string[]): Promise<string> {
  const hashes: string[] = [];
  for (const file of files) hashes.push(await sha256OfFile(file));
  return hashes.length === 1 ? hashes[0]! : createHash("sha256").update(hashes.join("\n")).digest("hex");
}
