import config from "../../../deno.json" with { type: "json" };
import { flagFaults, flagNames } from "./flag_tables.ts";
import { brokenLinks, unlisted } from "./links.ts";
import { unknownNames } from "./names.ts";
import type { Pages } from "./pages.ts";
import { roomFaults } from "./rooms.ts";

/** Bytes that the README may have: what a person reads in a minute. */
export const README_BYTES = 6144;

/** What the pages are held against. */
export interface Project {
  /** Whether there is a file or folder of this path. */
  readonly exists: (path: string) => boolean;
  /** Paths of all files of the source. */
  readonly sources: readonly string[];
}

/**
 * Holds the pages against the project.
 *
 * @returns One line for each fault; none where all is well.
 */
export function faultsOf(pages: Pages, { exists, sources }: Project): string[] {
  const bytes = new TextEncoder().encode(pages.get("README.md") ?? "").length;
  return [
    ...bytes > README_BYTES ? [`README.md: ${bytes} bytes, at most ${README_BYTES} are allowed`] : [],
    ...brokenLinks(pages, exists),
    ...unlisted(pages),
    ...flagFaults(pages),
    ...roomFaults(pages, sources),
    ...unknownNames(pages, new Set(Object.keys(config.tasks)), flagNames),
  ];
}
