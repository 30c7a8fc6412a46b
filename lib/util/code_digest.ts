import { createHash } from "node:crypto";
import { fromFileUrl, join, relative } from "@std/path";

/**
 * SHA-256 over the project's own code, lib/ and deno.json: two runs of one digest ran the same code, whatever git says.
 *
 * @example
 * ```ts
 * import { codeDigest } from "./code_digest.ts";
 *
 * console.log((await codeDigest())?.length); // 64
 * ```
 *
 * @returns 64 hex digits; null where the code is not in files, or they may not be read.
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

/** What runs: scripts and kernels; not the embedded model, which has hashes of its own. */
function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return filesIn(path);
    return /\.(ts|cu|cuh|gz)$/.test(name) ? [path] : [];
  }).sort();
}
