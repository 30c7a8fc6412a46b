import { createHash } from "node:crypto";
import { fromFileUrl, join, relative } from "@std/path";

/**
 * Returns a SHA-256 over the project's code: lib/ and deno.json. Two runs with the same digest ran the same code,
 * whatever git says.
 *
 * @example
 * ```ts
 * import { codeDigest } from "./code_digest.ts";
 *
 * console.log((await codeDigest())?.length); // 64
 * ```
 *
 * @returns 64 hex digits; null if the code is not in files, or they may not be read.
 */
export async function codeDigest(): Promise<string | null> {
  const root = new URL("../../", import.meta.url);
  if (root.protocol !== "file:") return null;
  try {
    const folder = fromFileUrl(root);
    const hash = createHash("sha256");
    for (const path of [join(folder, "deno.json"), ...filesIn(join(folder, "lib"))]) {
      const bytes = await Deno.readFile(path);
      hash.update(`${relative(folder, path).replaceAll("\\", "/")}\n${bytes.length}\n`).update(bytes);
    }
    return hash.digest("hex");
  } catch {
    return null;
  }
}

/** Lists the code in a folder: scripts and kernels. The embedded model is left out: it has its own hashes. */
function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return filesIn(path);
    return /\.(ts|cu|cuh|gz)$/.test(name) ? [path] : [];
  }).sort();
}
