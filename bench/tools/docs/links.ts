import { dirname, join } from "@std/path";
import { type Pages, proseOf } from "./pages.ts";

/**
 * Finds broken relative links: to a missing file, or to a missing heading of a page.
 *
 * @param pages The pages to check.
 * @param exists Whether the project has a file or folder of this path.
 * @returns One line for each broken link.
 */
export function brokenLinks(pages: Pages, exists: (path: string) => boolean): string[] {
  return [...pages].flatMap(([path, text]) =>
    [...linksOf(text)].flatMap(([line, target]) => {
      const [file = "", anchor] = target.split("#");
      const to = file === "" ? path : join(dirname(path), file);
      if (to.startsWith("..") || !pages.has(to) && !exists(to)) return [`${path}:${line}: no file ${to}`];
      const page = pages.get(to);
      if (anchor === undefined || page === undefined || anchorsOf(page).has(anchor)) return [];
      return [`${path}:${line}: no heading #${anchor} in ${to}`];
    })
  );
}

/** Finds pages of `docs` that the index does not link to. */
export function unlisted(pages: Pages): string[] {
  const index = "docs/index.md";
  const listed = new Set([...linksOf(pages.get(index) ?? "")].map(([, target]) => `docs/${target.split("#")[0]}`));
  return [...pages.keys()].filter((path) => path.startsWith("docs/") && path !== index && !listed.has(path))
    .map((path) => `${index}: no link to ${path}`);
}

/** Yields the targets of a page's links and pictures within the project, with their lines. */
function* linksOf(text: string): Generator<readonly [number, string]> {
  for (const [number, line] of proseOf(text)) {
    for (const [, target] of line.matchAll(/\]\(([^()\s]+)\)/g)) {
      if (!/^[a-z]+:/.test(target!)) yield [number, target!];
    }
  }
}

/** Returns the anchors of a page's headings, formed as on GitHub. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, line] of proseOf(text)) {
    const heading = /^#{1,6} (.*)$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const anchor = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(" ", "-");
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}
