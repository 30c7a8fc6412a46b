import { dirname, join, relative } from "@std/path";
import { writeAtomic } from "../util/write_atomic.ts";
import { type HubRepo, isCommit, isRelativePath } from "./repo.ts";

/** A file of a repository as the hub lists it. */
export interface ListedFile {
  /** Bytes. */
  readonly size?: number;
  /** Git's hash of the file, or of its pointer for a file in large-file storage. */
  readonly blob_id?: string;
  /** SHA-256 and size of a file in large-file storage. */
  readonly lfs_sha256?: string;
  readonly lfs_size?: number;
}

/** Path → the file's entry in the hub's list. */
export type Listing = Readonly<Record<string, ListedFile>>;

/** Signature of the cache directory standard. Backup programs recognize a cache by it. */
const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by huggingface_hub.
# For information about cache directory tags, see:
#\thttps://bford.info/cachedir/
`;

/**
 * A repository's folder in the cache of Python's huggingface_hub. It uses the same layout, so that the two share the
 * files:
 *
 * ```text
 * models--org--name/
 *   blobs/{etag}                      the files' bytes; {etag}.incomplete during a download
 *   snapshots/{commit}/config.json    a link to its blob
 *   refs/main                         the commit of a branch or tag when last asked for
 *   .no_exist/{commit}/{path}         files that a commit is known not to have
 *   trees/{commit}.json               the list of its files
 * ```
 *
 * @example
 * ```ts
 * import { HubCache } from "./cache.ts";
 *
 * const cache = new HubCache("/scratch/hf/hub", { repo: "org/name", type: "model", revision: "main" });
 * console.log(cache.folder, cache.commit()); // /scratch/hf/hub/models--org--name undefined
 * ```
 */
export class HubCache {
  /** The repository's folder. */
  readonly folder: string;

  /** @param root The cache's folder. */
  constructor(readonly root: string, readonly repo: HubRepo) {
    this.folder = join(root, folderName(repo));
  }

  /** Returns the commit of the revision when it was last asked for; undefined if it never was. */
  commit(): string | undefined {
    const { revision } = this.repo;
    if (isCommit(revision)) return revision;
    const commit = readText(join(this.folder, "refs", ...revision.split("/")))?.trim();
    return commit !== undefined && isCommit(commit) ? commit : undefined;
  }

  /** Returns the folder of a commit's files; it need not exist. */
  snapshot(commit: string): string {
    return join(this.folder, "snapshots", commit);
  }

  /** Returns the path of a commit's file; undefined if it is not in the cache, or its blob is gone. */
  find(commit: string, path: string): string | undefined {
    const file = join(this.snapshot(commit), ...path.split("/"));
    return isFile(file) ? file : undefined;
  }

  /** Returns the paths of a commit's files that are in the cache. */
  files(commit: string): string[] {
    return [...walk(this.snapshot(commit), "")].filter((path) => this.find(commit, path) !== undefined).sort();
  }

  /** Whether a commit is known not to have a file. */
  lacks(commit: string, path: string): boolean {
    return isFile(join(this.folder, ".no_exist", commit, ...path.split("/")));
  }

  /** Returns all files of a commit, or undefined if they were never listed. */
  listing(commit: string): Listing | undefined {
    try {
      const { format_version, files } = JSON.parse(readText(this.#tree(commit)) ?? "{}");
      return format_version === 1 && typeof files === "object" && files !== null ? files : undefined;
    } catch {
      return undefined; // as in Python: an unusable list counts as missing
    }
  }

  /** Returns the path for the bytes of an etag. */
  blob(etag: string): string {
    return join(this.folder, "blobs", etag);
  }

  /** Returns the file that is locked while a blob is written. Python locks the same file. */
  lock(etag: string): string {
    return join(this.root, ".locks", folderName(this.repo), `${etag}.lock`);
  }

  /** Makes the folder, marked as a cache. */
  async create(): Promise<void> {
    await Deno.mkdir(join(this.folder, "blobs"), { recursive: true });
    await Deno.writeTextFile(join(this.root, "CACHEDIR.TAG"), CACHEDIR_TAG, { createNew: true }).catch(() => {});
  }

  /** Makes a commit's file a link to its blob, and returns its path. */
  async link(commit: string, path: string, etag: string): Promise<string> {
    const file = join(this.snapshot(commit), ...path.split("/"));
    const blob = this.blob(etag);
    await Deno.mkdir(dirname(file), { recursive: true });
    if (isFile(file)) return file;
    await Deno.remove(file).catch(() => {}); // a link whose blob was deleted
    try {
      await Deno.symlink(relative(dirname(file), blob), file, { type: "file" });
    } catch (error) {
      if (isFile(file)) return file; // another process was faster
      // Windows requires a privilege for symbolic links, but not for hard links.
      await Deno.link(blob, file).catch(() => {
        throw error;
      });
    }
    return file;
  }

  /** Records the commit of the revision. */
  async writeCommit(commit: string): Promise<void> {
    if (this.repo.revision !== commit) {
      await replace(join(this.folder, "refs", ...this.repo.revision.split("/")), commit);
    }
  }

  /** Records that a commit has no such file. */
  async writeLack(commit: string, path: string): Promise<void> {
    await replace(join(this.folder, ".no_exist", commit, ...path.split("/")), "");
  }

  /** Records all files of a commit. */
  async writeListing(commit: string, listing: Listing): Promise<void> {
    const sorted = Object.fromEntries(Object.entries(listing).sort(([a], [b]) => a < b ? -1 : 1));
    await replace(this.#tree(commit), JSON.stringify({ format_version: 1, files: sorted }, null, 1));
  }

  #tree(commit: string): string {
    return join(this.folder, "trees", `${commit}.json`);
  }
}

function folderName({ repo, type }: HubRepo): string {
  return [`${type}s`, ...repo.split("/")].join("--");
}

/** Writes a small file, unless it already has this content: in a shared cache, not every user may write. */
async function replace(path: string, text: string): Promise<void> {
  if (readText(path) === text) return;
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeAtomic(path, text);
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function* walk(folder: string, prefix: string): Generator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch {
    return;
  }
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* walk(join(folder, name), `${prefix}${name}/`);
    else if (isRelativePath(prefix + name)) yield prefix + name;
  }
}
