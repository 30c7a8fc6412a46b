import {
  callback,
  checkOptions,
  flag,
  type Kind,
  type KnownOptions,
  oneOf,
  required,
  signal,
  text,
} from "../util/check_options.ts";
import type { FloatType } from "../util/dtype.ts";
import { printable } from "../util/printable.ts";
import { HubCache } from "./cache.ts";
import { cachedModel, type HubModel } from "./cached_model.ts";
import { type ChildOptions, runHubChild } from "./child.ts";
import { HubError } from "./errors.ts";
import { type AskedRepo, type HubRepo, isCommit, isRelativePath, repoOf } from "./repo.ts";
import { hubSettings } from "./settings.ts";

export type { HubModel } from "./cached_model.ts";
export type { DownloadEvent } from "./protocol.ts";
export type { AskedRepo } from "./repo.ts";

/** Options of the requests to the hub. */
export interface HubOptions extends ChildOptions {
  /** Whether to stay off the network, as with `HF_HUB_OFFLINE=1`. */
  readonly offline?: boolean | undefined;
}

/** A request for a file on the hub. */
export interface AskedFile extends AskedRepo {
  /** Its path in the repository. */
  readonly path: string;
}

/** A request for a model on the hub. */
export interface AskedModel extends AskedRepo {
  /** Type of the ONNX export to take, if there are several and no safetensors. */
  readonly dtype?: "auto" | FloatType | undefined;
}

/** Files of a repository. */
export interface HubListing {
  /** The revision's commit. */
  readonly commit: string;
  /** Their paths. */
  readonly files: readonly string[];
  /** False if these are only the files in the cache, because the hub could not be reached. */
  readonly complete: boolean;
}

/**
 * Returns a file of the hub from the cache of Python's huggingface_hub; downloads it into that cache if it is missing.
 * A cached file of a branch is used without asking whether the branch has moved.
 *
 * Needs `--allow-read`, `--allow-env` for the variables of {@linkcode hubSettings}, and `--allow-run` for Deno itself:
 * a child process does the network access.
 *
 * @example
 * ```ts ignore
 * import { hubFile } from "./hub.ts";
 *
 * const path = await hubFile({ repo: "emozilla/pg19-test", type: "dataset", path: "data/test-00000-of-00001.parquet" });
 * ```
 *
 * @param asked The file's path, and its repository: the id, type and revision, a model's `main` if left out.
 * @param options Whether the network may be used, callbacks and the signal.
 * @returns The file's path on this machine. It is a link; the name of its target does not tell the file's type.
 * @throws {HubError} If the file cannot be fetched, with why and what would do. `kind` is "missing" if the repository
 * has no such file.
 */
export async function hubFile(asked: AskedFile, options: HubOptions = {}): Promise<string> {
  check("hubFile", asked, FILE, options);
  const { cache, repo, endpoint, offline } = open(asked, options);
  const { path } = asked;
  if (!isRelativePath(path)) {
    throw new HubError("refused", `Cannot use ${JSON.stringify(printable(path, 200))} as a file's path`);
  }
  const commit = cache.commit();
  const found = commit && cache.find(commit, path);
  if (found) return found;
  const listing = commit && cache.listing(commit);
  const isKnownToLack = commit && (cache.lacks(commit, path) || listing && !Object.hasOwn(listing, path));
  // A branch may have it by now.
  if (isKnownToLack && (offline || isCommit(repo.revision))) {
    throw new HubError("missing", `Cannot find ${printable(path, 200)} in ${nameOf(repo)}: it has no such file`);
  }
  if (offline) throw notCached(`${printable(path, 200)} of ${nameOf(repo)}`, cache, options);
  return (await reach(cache, () => runHubChild({ type: "file", repo, path }, endpoint, options))).path;
}

/**
 * Returns the files of a repository on the hub: from the cache if it was listed before, else from the hub.
 *
 * @example
 * ```ts ignore
 * import { hubList } from "./hub.ts";
 *
 * const { files } = await hubList({ repo: "emozilla/pg19-test", type: "dataset" });
 * ```
 *
 * @param asked The repository: its id, its type and its revision, a model's `main` if left out.
 * @param options Whether the network may be used, callbacks and the signal.
 * @returns Its files.
 * @throws {HubError} If the files cannot be listed, with why and what would do.
 */
export async function hubList(asked: AskedRepo, options: HubOptions = {}): Promise<HubListing> {
  check("hubList", asked, REPO, options);
  const { cache, repo, endpoint, offline } = open(asked, options);
  const commit = cache.commit();
  const listing = commit && cache.listing(commit);
  if (commit && listing) return { commit, files: Object.keys(listing), complete: true };
  const files = commit ? cache.files(commit) : [];
  const found = commit && files.length > 0 ? { commit, files, complete: false } : undefined;
  if (offline) {
    if (found) return found;
    throw notCached(`files of ${nameOf(repo)}`, cache, options);
  }
  return await orElse<HubListing>(found, options, async () => {
    const { commit, files } = await reach(cache, () => runHubChild({ type: "list", repo }, endpoint, options));
    return { commit, files, complete: true };
  });
}

/**
 * Returns a model of the hub as a folder with all files that a run reads. Files missing from the cache are downloaded.
 *
 * @example
 * ```ts ignore
 * import { hubModel } from "./hub.ts";
 *
 * const { folder, commit } = await hubModel({ repo: "EleutherAI/pythia-70m-deduped" });
 * ```
 *
 * @param asked The repository: its id and its revision, `main` if left out; and which ONNX export, where it holds no
 * safetensors.
 * @param options Whether the network may be used, callbacks and the signal.
 * @returns Its folder and its commit.
 * @throws {HubError} If the model cannot be fetched, with why and what would do.
 */
export async function hubModel(asked: AskedModel, options: HubOptions = {}): Promise<HubModel> {
  check("hubModel", asked, MODEL, options);
  const { dtype = "auto" } = asked;
  const { cache, repo, endpoint, offline } = open(asked, options);
  let found: HubModel | undefined;
  try {
    found = cachedModel(cache, dtype);
  } catch (error) {
    // The branch may be usable by now.
    if (offline || isCommit(repo.revision)) throw error;
  }
  if (found?.complete || found && offline) return found;
  if (offline) throw notCached(nameOf(repo), cache, options);
  return await orElse<HubModel>(found, options, async () => {
    await reach(cache, () => runHubChild({ type: "model", repo, dtype }, endpoint, options));
    const fetched = cachedModel(cache, dtype);
    if (fetched) return fetched;
    throw new HubError(
      "refused",
      `Cannot use ${nameOf(repo)}: its files were removed from ${cache.folder} in the meantime`,
    );
  });
}

const REPO = {
  repo: required(text),
  type: oneOf("model", "dataset"),
  revision: text,
} satisfies KnownOptions<AskedRepo>;
const FILE = { ...REPO, path: required(text) } satisfies KnownOptions<AskedFile>;
const MODEL = { ...REPO, dtype: oneOf("auto", "float32", "float16", "bfloat16") } satisfies KnownOptions<AskedModel>;
const OPTIONS = {
  offline: flag,
  onDownload: callback,
  onNote: callback,
  signal,
} satisfies KnownOptions<HubOptions>;

/**
 * Rejects options that do not exist. A script that is not type-checked may pass them, and they would be ignored
 * silently.
 */
function check(of: string, asked: unknown, known: Readonly<Record<string, Kind>>, options: unknown): void {
  checkOptions(of, asked, known);
  checkOptions(of, options, OPTIONS);
}

function open(asked: AskedRepo, options: HubOptions) {
  const repo = repoOf(asked);
  const { endpoint, cache, offline } = hubSettings();
  return { repo, cache: new HubCache(cache, repo), endpoint, offline: options.offline || offline };
}

/** Falls back on the cache if the hub is out of reach. */
async function orElse<T>(found: T | undefined, { onNote }: HubOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (found === undefined || !isUnreachable(error)) throw error;
    onNote?.(`${error.message}. Using the cached files`);
    return found;
  }
}

/** Adds advice for a machine without network to the error. */
async function reach<T>({ repo, folder }: HubCache, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUnreachable(error) || !error.message.startsWith("Cannot reach")) throw error;
    const download = `hf download ${repo.type === "dataset" ? "--repo-type dataset " : ""}${repo.repo}`;
    throw new HubError(
      error.kind,
      `${error.message}; for a machine without network, run this or \`${download}\` on one that has it, and copy ${folder}`,
      { cause: error },
    );
  }
}

function isUnreachable(error: unknown): error is HubError {
  return error instanceof HubError && error.kind === "unreachable";
}

function notCached(what: string, { root, folder }: HubCache, { offline }: HubOptions): HubError {
  const by = offline ? "--offline" : "HF_HUB_OFFLINE";
  return new HubError(
    "refused",
    `Cannot find ${what} in the cache ${root}, and ${by} allows no network: run once without it where there is one, and copy ${folder} here`,
  );
}

function nameOf({ repo, type, revision }: HubRepo): string {
  return `${type} ${repo} at ${printable(revision, 200)}`;
}
