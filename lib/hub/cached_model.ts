import type { FloatType } from "../util/dtype.ts";
import { shardsOf } from "../model/folder/checkpoint.ts";
import type { HubCache } from "./cache.ts";
import { chooseModelFiles, OPTIONAL_FILES } from "./choose_model_files.ts";

/** A model in the hub's cache. */
export interface HubModel {
  /** The folder with its files, which are links. */
  readonly folder: string;
  /** The commit they are of. */
  readonly commit: string;
  /** Whether all is known to be there: one that Python fetched may lack files that a model can do without. */
  readonly complete: boolean;
}

/**
 * Looks for a model in the cache. Nothing is asked of the net.
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
 * @param cache The cache, of the repository at the revision that is wanted.
 * @param dtype Which ONNX export is wanted.
 * @returns Undefined where nothing is there, or a file is missing.
 * @throws {HubError} If what is there is of no use; the repository may have more, or have it by now.
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
  // Without the repository's list: an export is second to safetensors, which it may have.
  const isFirstChoice = files.some((path) => /\.safetensors(\.index\.json)?$/.test(path));
  const complete = listing !== undefined ||
    isFirstChoice && OPTIONAL_FILES.every((path) => here.includes(path) || cache.lacks(commit, path));
  return { folder, commit, complete };
}
