import type { FloatType } from "../util/dtype.ts";
import { shardsOf } from "../model/folder/checkpoint.ts";
import { HubCache } from "./cache.ts";
import { chooseModelFiles, OPTIONAL_FILES } from "./choose_model_files.ts";
import type { HubClient } from "./client.ts";
import { fetchFile } from "./fetch_file.ts";
import { fetchList } from "./fetch_list.ts";
import { requireSpace } from "./free_space.ts";
import { missingBytes } from "./missing_bytes.ts";
import type { DownloadEvent } from "./protocol.ts";
import { DownloadCounter } from "./download_counter.ts";

/** Number of concurrent downloads. */
const AT_ONCE = 4;
/** Longest wait for downloads to end, ms: one may hang on another process's lock. */
const END_MS = 1000;

/**
 * Downloads the files of a model that a run reads. All are from one commit, even if the branch moves in the meantime.
 *
 * @example
 * ```ts ignore
 * import { HubCache } from "./cache.ts";
 * import { HubClient } from "./client.ts";
 * import { fetchModel } from "./fetch_model.ts";
 *
 * const client = new HubClient({ endpoint: "https://huggingface.co" });
 * const cache = new HubCache("/scratch/hf/hub", { repo: "gpt2", type: "model", revision: "main" });
 * await fetchModel(client, cache, ({ done, total }) => console.log(done, total));
 * ```
 *
 * @param client Client of the hub.
 * @param cache Cache of the repository at the wanted revision.
 * @param onProgress Receives the progress.
 * @param dtype Type of the ONNX export to take, if there are several and no safetensors.
 * @returns Folder of its files.
 * @throws {HubError} If the download fails, with why and what would do.
 */
export async function fetchModel(
  client: HubClient,
  cache: HubCache,
  onProgress: (event: DownloadEvent) => void,
  dtype: "auto" | FloatType = "auto",
): Promise<string> {
  const { repo } = cache.repo;
  const { commit, listing } = await fetchList(client, cache);
  const { files, index } = chooseModelFiles(Object.keys(listing), repo, dtype);
  const atCommit = new HubCache(cache.root, { ...cache.repo, revision: commit });

  const counter = new DownloadCounter(repo, onProgress);
  const fetchAll = async (paths: readonly string[]) => {
    await requireSpace(cache.root, missingBytes(atCommit, commit, listing, paths), repo);
    for (const path of paths) counter.expect(path, listing[path]?.lfs_size ?? listing[path]?.size);
    const queue = [...paths];
    const stop = new AbortController();
    const own = client.endedBy(stop.signal);
    const worker = async () => {
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        await fetchFile(own, atCommit, path, (...bytes) => counter.bytes(...bytes), listing[path]);
        counter.finish(path);
      }
    };
    // A failure ends the other downloads: nothing is written after the failure is reported.
    const workers = Array.from({ length: AT_ONCE }, () =>
      worker().catch((error) => {
        queue.length = 0;
        stop.abort(error);
      }));
    await settled(workers, stop.signal);
    stop.signal.throwIfAborted();
  };
  await fetchAll(files);
  if (index !== undefined) await fetchAll(shardsOf(`${cache.snapshot(commit)}/${index}`));
  try {
    // As Python does, so that the next run need not ask for missing files.
    for (const path of OPTIONAL_FILES) if (!files.includes(path)) await cache.writeLack(commit, path);
    // Record the commit last: a moved branch is followed only once its new commit is complete here.
    await cache.writeCommit(commit);
  } catch {
    // All files are there. The cache may be read-only.
  }
  return cache.snapshot(commit);
}

/** Waits for all work. After the signal reports a failure, waits a moment only. */
async function settled(work: readonly Promise<void>[], signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => timer = setTimeout(resolve, END_MS), { once: true });
  });
  await Promise.race([Promise.all(work), enough]);
  clearTimeout(timer);
}
