import { HubError } from "../hub/errors.ts";
import { hubFile, hubList, type HubOptions } from "../hub/hub.ts";
import { printable } from "../util/printable.ts";
import type { Fault } from "./byte_text.ts";
import { chooseFiles, type DatasetFile } from "./dataset_files.ts";

/** A data set on the Hugging Face hub. */
export interface HubDataset {
  /** Its repository. */
  readonly repo: string;
  /** Folder of its files in the repository; "" for the whole repository. */
  readonly folder: string;
  /** Separator that joins its rows to one text, if single rows are not texts. */
  readonly joinedBy?: string;
}

/**
 * Parses the name of a data set on the hub: `org/name`, or `org/name/folder` for a part of it.
 *
 * @example
 * ```ts
 * import { hubDataset } from "./hub_dataset.ts";
 *
 * console.log(hubDataset("Salesforce/wikitext/wikitext-2-raw-v1"));
 * // { repo: "Salesforce/wikitext", folder: "wikitext-2-raw-v1" }
 * console.log(hubDataset("texts/book.txt"), hubDataset("/data/books")); // undefined undefined
 * ```
 *
 * @param name The name, as given.
 * @returns The data set; undefined if the name can only be a path.
 */
export function hubDataset(name: string): HubDataset | undefined {
  const [, repo, folder = ""] = /^(\w[\w.-]*\/\w[\w.-]*)(?:\/(.+?))?\/?$/.exec(name) ?? [];
  const isFile = /\.(?:txt|md|jsonl?|ndjson|parquet|csv|tsv|gz|zip)$/i.test(name);
  return repo === undefined || isFile ? undefined : { repo, folder };
}

/**
 * Lists the files of a split of a data set on the hub. Each file is downloaded, or taken from the hub's cache, when it
 * is fetched.
 *
 * @example
 * ```ts ignore
 * import { InputError } from "../util/errors.ts";
 * import { filesOfHub } from "./hub_dataset.ts";
 *
 * const dataset = { repo: "emozilla/pg19", folder: "data" };
 * const { files, commit } = await filesOfHub(dataset, "test", {}, (why) => new InputError(why));
 * ```
 *
 * @param dataset The data set.
 * @param split The split.
 * @param options Whether the network may be used, callbacks and the signal.
 * @param fault Makes the error if no file fits.
 * @returns The files, sorted by path, and their commit.
 * @throws {HubError} If the repository's files cannot be listed.
 */
export async function filesOfHub(
  { repo, folder }: HubDataset,
  split: string,
  options: HubOptions,
  fault: Fault,
): Promise<{ files: DatasetFile[]; commit: string }> {
  const asked = { repo, type: "dataset" } as const;
  const { commit, files, complete } = await hubList(asked, options);
  const within = files.filter((path) => folder === "" || path.startsWith(`${folder}/`));
  const where = `${repo}${folder === "" ? "" : `/${folder}`} on the hub`;
  const what = complete ? where : `the cached part of ${where}`;
  return {
    commit,
    files: chooseFiles(within, split, what, (why, cause) => fault(printable(why), cause)).map((path) => ({
      name: printable(`${repo}/${path}`),
      // All of the same commit, even if the branch moves in the meantime.
      fetch: () => hubFile({ ...asked, revision: commit, path }, options),
    })),
  };
}

/** Returns the error for a name that is neither a path nor on the hub. */
export function notHereNor(error: unknown, fault: Fault): unknown {
  if (!(error instanceof HubError)) return error;
  return fault(`there is no such file or folder, and on the hub: ${error.message}`, error);
}
