import { readResults } from "../../report/results/results_file.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { findResultFiles, type FoundResults } from "../find_results.ts";
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
}

/**
 * Makes a page of the results.json in and below some folders, and writes it.
 *
 * @param folders Folders of runs, or files.
 * @param file The page; a reader never sees half of it.
 * @returns What it holds.
 * @throws {InputError} If there are no results, one cannot be read, or the page cannot be written.
 *
 * @example
 * ```ts
 * import { writePage } from "./write_page.ts";
 *
 * const rows = async () => (await writePage(["results"], "report.html")).rows;
 * ```
 */
export async function writePage(folders: readonly string[], file: string): Promise<WrittenPage> {
  const content = await collectPage(oneByOne(await findResultFiles(folders)));
  const page = new TextEncoder().encode(await makePage(content));
  try {
    await writeAtomic(file, page);
  } catch (cause) {
    throw new InputError(
      `Cannot write ${printable(file)}: ${(cause as Error).message}; name another file with --output`,
      { cause },
    );
  }
  return { rows: content.rows.length, runs: content.runs, bytes: page.length };
}

/** Thousands of runs do not fit in memory with all of their steps. */
async function* oneByOne(files: readonly string[]): AsyncGenerator<FoundResults> {
  for (const file of files) yield { file, results: await readResults(file) };
}
