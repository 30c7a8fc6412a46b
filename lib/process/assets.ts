/**
 * Files of the project that are not modules: the embedded model and the compiled kernels. A checkout uses its own
 * files. If the project is loaded from a URL, copies are kept in the user's cache folder.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import manifest from "../assets/manifest.json" with { type: "json" };
import { InputError } from "../util/errors.ts";
import { sha256OfFile } from "../util/sha256.ts";
import { cacheFolder } from "../util/cache_folder.ts";
import { NETWORK_ENV, readEnv } from "./child_env.ts";
import { endWith, spawnDeno } from "./deno_child.ts";
import { isRemote, PROJECT } from "../util/project.ts";

/** A file that comes with the project. */
export interface Asset {
  /** Path from the project's folder, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** All assets. `deno task assets` writes the list; a test compares it with the files. */
export const ASSETS: readonly Asset[] = manifest;

/** Settings of {@linkcode bringAssets}. */
export interface BringOptions {
  /** Called when a download begins. */
  readonly onNote?: ((message: string) => void) | undefined;
  /** Ends the download. */
  readonly signal?: AbortSignal | undefined;
  /** The folder of copies; by default in the user's cache folder. */
  readonly copies?: string;
  /** The project's folder. */
  readonly project?: URL;
}

/**
 * Returns the path of a file or folder that comes with the project. If the project is loaded from a URL, call
 * {@linkcode bringAssets} for its folder first.
 *
 * @example
 * ```ts
 * import { assetPath } from "./assets.ts";
 *
 * const config = assetPath(new URL("../assets/novel-neox-8m/config.json", import.meta.url));
 * console.log(Deno.statSync(config).isFile); // true
 * ```
 *
 * @param url Its URL in the project.
 * @returns An absolute path.
 * @throws {InputError} If a copy is needed, and the environment names no folder for it.
 */
export function assetPath(url: URL): string {
  return url.protocol === "file:"
    ? resolve(fromFileUrl(url))
    : resolve(copiesFolder(), url.href.slice(PROJECT.href.length));
}

/**
 * Copies the files of one folder of the project to this machine, if the project is loaded from a URL. A child process
 * downloads files that are missing from the folder of copies or were changed there. Every file's SHA-256 is checked. In
 * a checkout this does nothing.
 *
 * @param folder The folder, with a slash at its end.
 * @param options Callback, signal and folders.
 * @throws {InputError} If a file could not be downloaded, or is not this version's file.
 */
export async function bringAssets(folder: URL, options: BringOptions = {}): Promise<void> {
  const { project = PROJECT, onNote, signal } = options;
  if (!isRemote(project)) return;
  const copies = options.copies ?? copiesFolder();
  const prefix = folder.href.slice(project.href.length);
  const missing: Asset[] = [];
  for (const asset of ASSETS.filter(({ path }) => path.startsWith(prefix))) {
    if (!await isIntact(join(copies, asset.path), asset)) missing.push(asset);
  }
  if (missing.length === 0) return;
  const megabytes = missing.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  onNote?.(`Downloading ${prefix} of kvcompress to ${copies}, once: ${megabytes.toFixed(1)} MB`);
  await download(project, copies, missing, signal);
}

/** Whether a copy exists and is intact. */
async function isIntact(path: string, { bytes, sha256 }: Asset): Promise<boolean> {
  try {
    return (await Deno.stat(path)).size === bytes && await sha256OfFile(path) === sha256;
  } catch {
    return false; // if the folder is not a folder, writing to it reports that
  }
}

/** Only this process may reach the network, and only the project's own host. */
async function download(project: URL, copies: string, assets: readonly Asset[], signal?: AbortSignal): Promise<void> {
  try {
    await Deno.mkdir(copies, { recursive: true });
  } catch (error) {
    const { message } = error as Error;
    const cure = error instanceof Deno.errors.NotCapable
      ? `allow it with --allow-write=${dirname(copies)}`
      : "set XDG_CACHE_HOME to a folder that can be written to";
    throw new InputError(`Cannot keep files of kvcompress in ${copies}: ${message.split(",")[0]}; ${cure}`);
  }
  const child = spawnDeno({
    script: import.meta.resolve("./assets_main.ts"),
    permissions: [`--allow-net=${project.host}`, "--allow-read=.", "--allow-write=."],
    args: [project.href, ...assets.map(({ path }) => path)],
    env: NETWORK_ENV,
    cwd: copies,
    stdin: "null",
  });
  using _tie = endWith(child, signal);
  const { success, code, stderr } = await child.output();
  signal?.throwIfAborted();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new InputError(said || `Cannot download files of kvcompress: the process ended with code ${code}`);
}

/** The folder of copies. Its name is a hash of the list, so that versions do not mix. */
function copiesFolder(): string {
  const cache = cacheFolder(readEnv);
  if (cache === null) {
    throw new InputError(
      "Cannot keep files of kvcompress on this machine: the environment names no cache folder; set XDG_CACHE_HOME to one",
    );
  }
  const name = createHash("sha256").update(JSON.stringify(ASSETS)).digest("hex").slice(0, 16);
  return join(cache, "kvcompress", "assets", name);
}
