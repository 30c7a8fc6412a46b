import { InputError } from "../../util/errors.ts";
import { HubError } from "../../hub/errors.ts";
import { hubModel } from "../../hub/hub.ts";
import { isCommit, isRepoId } from "../../hub/repo.ts";
import { isThere } from "../../model/folder/files.ts";
import { assetPath, bringAssets } from "../../process/assets.ts";
import { fromGguf } from "./gguf_folder.ts";
import type { BenchmarkOptions } from "./options.ts";

/** Where a model is. */
export interface FoundModel {
  /** Its folder. */
  readonly folder: string;
  /** For a model from the hub: the revision asked for, and the commit it stands for. */
  readonly hub?: { readonly revision: string; readonly commit: string };
}

/** Options by which a model is found. */
export type ModelWish = Pick<
  BenchmarkOptions,
  "model_id" | "revision" | "dtype" | "offline" | "onDownload" | "onNote" | "signal"
>;

/** Id of the model that comes with the project. */
export const EMBEDDED_MODEL_ID = "novel-neox-8m";

/** The embedded model's folder. */
const EMBEDDED_MODEL = new URL(`../../assets/${EMBEDDED_MODEL_ID}/`, import.meta.url);

/**
 * Finds the model that `model_id` names: the embedded one, a folder, a GGUF file, or if none of these exists a
 * repository of the Hugging Face hub, taken from its cache or downloaded.
 *
 * @example
 * ```ts
 * import { findModel } from "./find_model.ts";
 *
 * const { folder, hub } = await findModel({ model_id: "lib/assets/novel-neox-8m" });
 * console.log(folder, hub); // lib/assets/novel-neox-8m undefined
 * ```
 *
 * @param wish The options given.
 * @returns Its folder; it may still hold no model.
 * @throws {InputError} If it cannot be found or downloaded.
 */
export async function findModel(wish: ModelWish): Promise<FoundModel> {
  const { model_id = EMBEDDED_MODEL_ID, revision, onNote, signal } = wish;
  if (model_id === EMBEDDED_MODEL_ID) {
    const found = local(assetPath(EMBEDDED_MODEL), "it comes with kvcompress", wish);
    await bringAssets(EMBEDDED_MODEL, { onNote, signal });
    return found;
  }
  if (isThere(model_id) || !isRepoId(model_id)) {
    const { folder } = local(model_id, "it is a folder", wish);
    return { folder: await fromGguf(folder, wish) };
  }
  const { folder, commit, fromCache } = await fromHub(model_id, wish);
  const asked = revision ?? "main";
  if (!isCommit(asked)) {
    onNote?.(`${model_id} at ${asked} is commit ${commit}${fromCache ? ", as cached" : ""}`);
  }
  return { folder, hub: { revision: asked, commit } };
}

function local(folder: string, why: string, { model_id, revision }: ModelWish): FoundModel {
  if (revision === undefined) return { folder };
  throw new InputError(
    `Cannot use --revision ${revision} with --model_id ${
      model_id ?? EMBEDDED_MODEL_ID
    }: ${why}; only models of the hub have revisions`,
  );
}

async function fromHub(repo: string, { revision, dtype, offline, onDownload, onNote, signal }: ModelWish) {
  let fromCache = true;
  const asked = { repo, dtype, ...(revision === undefined ? {} : { revision }) };
  try {
    const model = await hubModel(asked, {
      offline,
      signal,
      onNote,
      onDownload: (event) => {
        fromCache = false;
        onDownload?.(event);
      },
    });
    return { ...model, fromCache };
  } catch (error) {
    if (!(error instanceof HubError) || !/^Cannot (find model|reach)/.test(error.message)) throw error;
    // The user may have meant a folder.
    throw new HubError(error.kind, `${error.message}; and no folder ${repo} exists here`, { cause: error });
  }
}
