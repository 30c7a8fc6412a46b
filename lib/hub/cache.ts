import { dirname, join, relative } from "@std/path";
import { writeAtomic } from "../util/write_atomic.ts";
import { type HubRepo, isCommit, isRelativePath } from "./repo.ts";

/** A file of a repository as the hub lists it. */
export interface ListedFile {
  /** Bytes. */
  readonly size?: number;
  /** Git's hash of the file, or of the pointer that stands for it. */
  readonly blob_id?: string;
  /** SHA-256 and size of a file in large-file storage. */
  readonly lfs_sha256?: string;
  readonly lfs_size?: number;
}

/** Path → what the hub says of the file. */
export type Listing = Readonly<Record<string, ListedFile>>;

/** The standard's signature, by which backup programs know a cache. */
const CACHEDIR_TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by huggingface_hub.
# For information about cache directory tags, see:
#\thttps://bford.info/cachedir/
`;

/**
 * A repository's folder in the cache that Python's huggingface_hub keeps, in its layout, so that the two share it:
 *
 * ```text
 * models--org--name/
 *   blobs/{etag}                      the files' bytes; {etag}.incomplete while they come
 *   snapshots/{commit}/config.json    a link to its blob
 *   refs/main                         the commit a branch or tag was at
 *   .no_exist/{commit}/{path}         what a commit is known not to have
 *   trees/{commit}.json               what it has
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

  /** The commit that the revision was at when it was last asked for; undefined if it never was. */
  commit(): string | undefined {
    const { revision } = this.repo;
    if (isCommit(revision)) return revision;
    const commit = readText(join(this.folder, "refs", ...revision.split("/")))?.trim();
    return commit !== undefined && isCommit(commit) ? commit : undefined;
  }

  /** The folder of a commit's files; it need not exist. */
  snapshot(commit: string): string {
    return join(this.folder, "snapshots", commit);
  }

  /** Where a commit's file lies; undefined if it is not there, or its blob is gone. */
  find(commit: string, path: string): string | undefined {
    const file = join(this.snapshot(commit), ...path.split("/"));
    return isFile(file) ? file : undefined;
  }

  /** Paths of those files of a commit that are here. */
  files(commit: string): string[] {
    return [...walk(this.snapshot(commit), "")].filter((path) => this.find(commit, path) !== undefined).sort();
  }

  /** Whether a commit is known not to have a file. */
  lacks(commit: string, path: string): boolean {
    return isFile(join(this.folder, ".no_exist", commit, ...path.split("/")));
  }

  /** All files of a commit, if they were ever listed. */
  listing(commit: string): Listing | undefined {
    try {
      const { format_version, files } = JSON.parse(readText(this.#tree(commit)) ?? "{}");
      return format_version === 1 && typeof files === "object" && files !== null ? files : undefined;
    } catch {
      return undefined; // as Python has it: a file that is no use is not there
    }
  }

  /** Where the bytes of an etag are to lie. */
  blob(etag: string): string {
    return join(this.folder, "blobs", etag);
  }

  /** The file whose lock says that a blob is being written: Python's as well. */
  lock(etag: string): string {
    return join(this.root, ".locks", folderName(this.repo), `${etag}.lock`);
  }

  /** Makes the folder, marked as a cache. */
  async create(): Promise<void> {
    await Deno.mkdir(join(this.folder, "blobs"), { recursive: true });
    await Deno.writeTextFile(join(this.root, "CACHEDIR.TAG"), CACHEDIR_TAG, { createNew: true }).catch(() => {});
  }

  /** Makes a commit's file a link to its blob. */
  async link(commit: string, path: string, etag: string): Promise<string> {
    const file = join(this.snapshot(commit), ...path.split("/"));
    const blob = this.blob(etag);
    await Deno.mkdir(dirname(file), { recursive: true });
    if (isFile(file)) return file;
    await Deno.remove(file).catch(() => {}); // a link whose blob was cleared away
    try {
      await Deno.symlink(relative(dirname(file), blob), file, { type: "file" });
    } catch (error) {
      if (isFile(file)) return file; // another process was faster
      // Windows wants a privilege for symbolic links, but none for this.
      await Deno.link(blob, file).catch(() => {
        throw error;
      });
    }
    return file;
  }

  /** Notes which commit the revision is at. */
  async writeCommit(commit: string): Promise<void> {
    if (this.repo.revision !== commit) {
      await replace(join(this.folder, "refs", ...this.repo.revision.split("/")), commit);
    }
  }

  /** Notes that a commit has no such file. */
  async writeLack(commit: string, path: string): Promise<void> {
    await replace(join(this.folder, ".no_exist", commit, ...path.split("/")), "");
  }

  /** Notes all files of a commit. */
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

/** Writes a small file, unless it says that already: a cache may be shared, and not to be written by everyone. */
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
