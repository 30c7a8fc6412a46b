import { join } from "@std/path";

/** Path from the project's folder → text, for every documentation page. */
export type Pages = ReadonlyMap<string, string>;

/** Paths of the pages outside of `docs`. */
const OTHERS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/fixtures/README.md"] as const;

/** Reads the project's pages: all of `docs`, and {@linkcode OTHERS}. */
export function readPages(project: string): Pages {
  const paths = [...OTHERS, ...markdownIn(project, "docs")];
  return new Map(paths.map((path) => [path, Deno.readTextFileSync(join(project, path))]));
}

function* markdownIn(project: string, folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(project, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* markdownIn(project, path);
    else if (name.endsWith(".md")) yield path;
  }
}

/** Yields a page's lines outside of fenced code, each with its number from 1. */
export function* proseOf(text: string): Generator<readonly [number, string]> {
  let isCode = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*```/.test(line)) isCode = !isCode;
    else if (!isCode) yield [index + 1, line];
  }
}
