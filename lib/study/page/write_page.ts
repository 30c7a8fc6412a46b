import { RESULTS_FILE } from "../../report/results/results_file.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { type FoundResults, readOrSkip, resultFiles, type SkippedFile } from "../find_results.ts";
import { collectPage } from "./collect.ts";
import { makePage } from "./make_page.ts";

/** What was written. */
export interface WrittenPage {
  /** Rows of its table. */
  rows: number;
  /** Number of results.json. */
  runs: number;
  /** Size of the file. */
  bytes: number;
  /** Files that could not be read: they are not on the page. */
  skipped: readonly SkippedFile[];
}

/**
 * Makes a page of the results.json in and below some folders, and writes it.
 *
 * @param folders Folders of runs, or files.
 * @param file The page; a reader never sees half of it.
 * @returns What it holds.
 * @throws {InputError} If a folder holds no results, none can be read, or the page cannot be written.
 *
 * @example
 * ```ts
 * import { writePage } from "./write_page.ts";
 *
 * const rows = async () => (await writePage(["results"], "report.html")).rows;
 * ```
 */
export async function writePage(folders: readonly string[], file: string): Promise<WrittenPage> {
  const files = new Set<string>();
  for (const folder of folders) {
    const below = await resultFiles([folder]);
    if (below.length === 0) {
      throw new InputError(
        `Cannot find results in ${printable(folder)}: there is no ${RESULTS_FILE} in it or below; ` +
          "name the folder of a run, of many runs or of a sweep",
      );
    }
    for (const file of below) files.add(file);
  }
  const skipped: SkippedFile[] = [];
  const content = await collectPage(oneByOne(files, skipped));
  if (content.runs === 0) throw new InputError(skipped[0]!.reason);
  const page = new TextEncoder().encode(await makePage(content));
  try {
    await writeAtomic(file, page);
  } catch (cause) {
    throw new InputError(
      `Cannot write ${printable(file)}: ${(cause as Error).message}; name another file with --output`,
      { cause },
    );
  }
  return { rows: content.rows.length, runs: content.runs, bytes: page.length, skipped };
}

/** Thousands of runs do not fit in memory with all of their steps. */
async function* oneByOne(files: Iterable<string>, skipped: SkippedFile[]): AsyncGenerator<FoundResults> {
  for (const file of files) {
    const results = await readOrSkip(file, (one) => void skipped.push(one));
    if (results !== undefined) yield { file, results };
  }
}
