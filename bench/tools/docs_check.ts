/**
 * `deno task docs:check`: checks README.md and docs/ against the project: links resolve, flag tables match the flags,
 * the list of rooms covers the source, and named tasks and flags exist. `--write` rewrites the tables.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { faultsOf } from "./docs/faults.ts";
import { FLAG_PAGE, withFlagTables } from "./docs/flag_tables.ts";
import { readPages } from "./docs/pages.ts";

const project = fromFileUrl(new URL("../..", import.meta.url));

function exists(path: string): boolean {
  try {
    Deno.statSync(join(project, path));
    return true;
  } catch {
    return false;
  }
}

function* sourcesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(project, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourcesIn(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

if (import.meta.main) {
  const [flag, ...rest] = Deno.args;
  if (rest.length > 0 || flag !== undefined && flag !== "--write") {
    console.error(`Cannot read ${rest[0] ?? flag}: the only flag is --write`);
    Deno.exit(2);
  }
  if (flag === "--write") {
    const page = join(project, FLAG_PAGE);
    Deno.writeTextFileSync(page, withFlagTables(Deno.readTextFileSync(page)));
  }
  const sources = ["mod.ts", ...sourcesIn("lib"), ...sourcesIn("bench")];
  const faults = faultsOf(readPages(project), { exists, sources });
  for (const fault of faults) console.error(fault);
  Deno.exit(faults.length > 0 ? 1 : 0);
}
