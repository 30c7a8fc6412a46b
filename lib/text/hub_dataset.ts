import { HubError } from "../hub/errors.ts";
import { hubFile, hubList, type HubOptions } from "../hub/hub.ts";
import { printable } from "../util/printable.ts";
import type { Fault } from "./byte_text.ts";
import { chooseFiles, type DatasetFile } from "./dataset_files.ts";

/** A data set of the Hugging Face hub. */
export interface HubDataset {
  /** Its repository. */
  readonly repo: string;
  /** The folder of the repository that its files are in; "" for all of it. */
  readonly folder: string;
  /** What its rows are joined by to one text, where a row alone is none. */
  readonly joinedBy?: string;
}

/**
 * A data set of the hub from what was given for it: `org/name`, or `org/name/folder` for a part of it.
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
 * @param name What was given.
 * @returns The data set; undefined for what can only be a path.
 */
export function hubDataset(name: string): HubDataset | undefined {
  const [, repo, folder = ""] = /^(\w[\w.-]*\/\w[\w.-]*)(?:\/(.+?))?\/?$/.exec(name) ?? [];
  const isFile = /\.(?:txt|md|jsonl?|ndjson|parquet|csv|tsv|gz|zip)$/i.test(name);
  return repo === undefined || isFile ? undefined : { repo, folder };
}

/**
 * The files of a split of a data set of the hub, each downloaded, or taken from the hub's cache, when it is asked for.
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
 * @param dataset Which.
 * @param split The split.
 * @param options Whether the net may be reached, and whom to tell.
 * @param fault Makes the error where there is no such file.
 * @returns The files, sorted by path, and the commit that they are of.
 * @throws {HubError} If the repository's files cannot be known.
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
  const where = `${repo}${folder === "" ? "" : `/${folder}`} of the hub`;
  const what = complete ? where : `what the cache has of ${where}`;
  return {
    commit,
    files: chooseFiles(within, split, what, (why, cause) => fault(printable(why), cause)).map((path) => ({
      name: printable(`${repo}/${path}`),
      // Of the same commit, whatever happens to the branch in the meantime.
      fetch: () => hubFile({ ...asked, revision: commit, path }, options),
    })),
  };
}

/** Says of what is no path either that it was looked for on the hub. */
export function notHereNor(error: unknown, fault: Fault): unknown {
  if (!(error instanceof HubError)) return error;
  return fault(`there is no such file or folder, and on the hub: ${error.message}`, error);
}
