import type { FloatType } from "../util/dtype.ts";
import { shardsOf } from "../model/folder/checkpoint.ts";
import type { HubCache } from "./cache.ts";
import { chooseModelFiles, OPTIONAL_FILES } from "./choose_model_files.ts";

/** A model in the hub's cache. */
export interface HubModel {
  /** Folder of its files, which are links. */
  readonly folder: string;
  /** Commit of the files. */
  readonly commit: string;
  /** Whether all files are known to be there. A model fetched by Python may lack optional files. */
  readonly complete: boolean;
}

/**
 * Looks for a model in the cache, without network access.
 *
 * @example
 * ```ts
 * import { HubCache } from "./cache.ts";
 * import { cachedModel } from "./cached_model.ts";
 *
 * const cache = new HubCache("/no/such/cache", { repo: "gpt2", type: "model", revision: "main" });
 * console.log(cachedModel(cache)); // undefined
 * ```
 *
 * @param cache Cache of the repository at the wanted revision.
 * @param dtype Type of the wanted ONNX export.
 * @returns The model; undefined if a file is missing.
 * @throws {HubError} If the cached files are not usable. The repository may have more files, or have them by now.
 */
export function cachedModel(cache: HubCache, dtype: "auto" | FloatType = "auto"): HubModel | undefined {
  const commit = cache.commit();
  if (commit === undefined) return undefined;
  const folder = cache.snapshot(commit);
  const listing = cache.listing(commit);
  const here = cache.files(commit);
  if (listing === undefined && here.length === 0) return undefined;
  const { files, index } = chooseModelFiles(listing ? Object.keys(listing) : here, cache.repo.repo, dtype);
  if (!files.every((path) => here.includes(path))) return undefined;
  if (index !== undefined && !shardsOf(`${folder}/${index}`).every((path) => here.includes(path))) return undefined;
  // Without the repository's list, an ONNX export is not enough: the repository may have safetensors, which come first.
  const isFirstChoice = files.some((path) => /\.safetensors(\.index\.json)?$/.test(path));
  const complete = listing !== undefined ||
    isFirstChoice && OPTIONAL_FILES.every((path) => here.includes(path) || cache.lacks(commit, path));
  return { folder, commit, complete };
}
