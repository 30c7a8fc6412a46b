import { createHash } from "node:crypto";
import { basename, join } from "@std/path";
import { freeBytes } from "../../hub/free_space.ts";
import { isFolder, isThere } from "../../model/folder/files.ts";
import { planConversion } from "../../model/gguf/convert.ts";
import { readEnv } from "../../process/child_env.ts";
import { byteCount } from "../../util/byte_count.ts";
import { cacheFolder } from "../../util/cache_folder.ts";
import { InputError } from "../../util/errors.ts";
import { fingerprintOfFile } from "../../util/fingerprint.ts";
import { printable } from "../../util/printable.ts";

/** Number of the way in which files are converted; a change of it makes all folders anew. */
const VERSION = 1;
/** Age after which a folder that was not finished is removed, ms. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** What a conversion may be told. */
export interface GgufOptions {
  /** Tells the user what is going on. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the model folder of a GGUF file, or of a folder whose only weights are one such file. It is made in the user's
 * cache folder when it is first asked for. Other paths are returned as they are.
 *
 * @example
 * ```ts
 * import { fromGguf } from "./gguf_folder.ts";
 *
 * console.log(await fromGguf("lib/assets/novel-neox-8m")); // lib/assets/novel-neox-8m
 * ```
 *
 * @param path Path of a GGUF file or a folder.
 * @param options Notes and an early end.
 * @returns Path of a Hugging Face model folder, or `path`.
 * @throws {InputError} If the file is damaged or not supported, the folder has several, or there is no room.
 */
export async function fromGguf(path: string, { onNote, signal }: GgufOptions = {}): Promise<string> {
  const file = ggufFileOf(path);
  if (file === undefined) return path;
  const folder = await folderFor(file);
  if (isThere(folder)) return folder;
  const { bytes, write } = planConversion(file);
  const root = join(folder, "..");
  await Deno.mkdir(root, { recursive: true });
  await removeAbandoned(root);
  const free = await freeBytes(root);
  if (free !== undefined && bytes > free) {
    throw new InputError(
      `Cannot convert ${file}: its weights take ${byteCount(bytes)} as safetensors, and ${
        byteCount(free)
      } are free in ${root}; make room there, or set XDG_CACHE_HOME to a folder with more`,
    );
  }
  onNote?.(`Converting ${basename(file)} once, into ${folder} (${byteCount(bytes)})`);
  const temporary = await Deno.makeTempDir({ dir: root, prefix: "unfinished-" });
  try {
    await write(temporary, signal);
    await Deno.rename(temporary, folder);
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    // Another process may have been faster.
    if (!isThere(folder) || signal?.aborted) throw error;
  }
  return folder;
}

/** Returns the GGUF file that a path means, if it means one. */
function ggufFileOf(path: string): string | undefined {
  if (!isThere(path)) return undefined;
  if (!isFolder(path)) return path.endsWith(".gguf") ? path : undefined;
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  const files = names.filter((name) => name.endsWith(".gguf"));
  if (files.length === 0 || names.some((name) => /\.(safetensors|onnx)$/.test(name)) || names.includes("onnx")) {
    return undefined;
  }
  if (files.length === 1) return join(path, files[0]!);
  const shown = files.slice(0, 5).map((name) => printable(name, 100)).join(", ");
  throw new InputError(
    `Cannot open model ${path}: it has ${files.length} GGUF files (${shown}${
      files.length > 5 ? ", …" : ""
    }); name one: --model_id ${join(path, printable(files[0]!, 100))}`,
  );
}

/** Returns the folder for a file's model: another for another size, time of change, or bytes. */
async function folderFor(file: string): Promise<string> {
  const cache = cacheFolder(readEnv);
  if (cache === null) {
    throw new InputError(
      `Cannot convert ${file}: the environment names no cache folder to put it in; set XDG_CACHE_HOME to one`,
    );
  }
  const { size, mtime, isFile } = await Deno.stat(file).catch((cause) => {
    throw new InputError(`Cannot open model ${file}: ${printable((cause as Error).message)}`, { cause });
  });
  if (!isFile) throw new InputError(`Cannot open model ${file}: it is not a regular file`);
  const known = [VERSION, size, mtime?.getTime(), await fingerprintOfFile(file)];
  const key = createHash("sha256").update(JSON.stringify(known)).digest("hex").slice(0, 16);
  const name = basename(file, ".gguf").replaceAll(/[^\w.-]/g, "_").slice(0, 80);
  return join(cache, "kvcompress", "gguf", `${name}-${key}`);
}

/** Removes what processes left that were killed while they converted. */
async function removeAbandoned(root: string): Promise<void> {
  for await (const { name } of Deno.readDir(root)) {
    if (!name.startsWith("unfinished-")) continue;
    const path = join(root, name);
    const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
    if (mtime && Date.now() - mtime.getTime() > ABANDONED_MS) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  }
}
