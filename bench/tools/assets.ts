/**
 * `deno task assets`: writes lib/assets/manifest.json, the list of the project's files that are not modules. Run it
 * after a change to the embedded model or the compiled kernels.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { sha256OfFile } from "../../lib/util/sha256.ts";
import type { Asset } from "../../lib/process/assets.ts";
import { PROJECT } from "../../lib/util/project.ts";

/** Folder → pattern of the files in it that may be needed on disk. */
const FOLDERS = { "lib/assets/novel-neox-8m": /\.(json|safetensors)$/, "lib/kernels/ptx": /\.gz$/ };

/**
 * Lists the files in these folders.
 *
 * @returns The files, sorted by path.
 */
export async function listAssets(): Promise<Asset[]> {
  const found: Asset[] = [];
  for (const [folder, files] of Object.entries(FOLDERS)) {
    const names = [...Deno.readDirSync(join(fromFileUrl(PROJECT), folder))].map(({ name }) => name);
    for (const name of names.filter((name) => files.test(name)).sort()) {
      const file = join(fromFileUrl(PROJECT), folder, name);
      found.push({ path: `${folder}/${name}`, bytes: Deno.statSync(file).size, sha256: await sha256OfFile(file) });
    }
  }
  return found;
}

if (import.meta.main) {
  const path = fromFileUrl(new URL("lib/assets/manifest.json", PROJECT));
  const assets = await listAssets();
  Deno.writeTextFileSync(path, `${JSON.stringify(assets, null, 2)}\n`);
  console.log(`${path}: ${assets.length} files`);
}
