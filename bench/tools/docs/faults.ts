import config from "../../../deno.json" with { type: "json" };
import { flagFaults, flagNames } from "./flag_tables.ts";
import { brokenLinks, unlisted } from "./links.ts";
import { unknownNames } from "./names.ts";
import type { Pages } from "./pages.ts";
import { roomFaults } from "./rooms.ts";

/** Largest README, bytes: about what a person reads in a minute. */
export const README_BYTES = 6144;

/** The project that the pages are checked against. */
export interface Project {
  /** Whether a file or folder of this path exists. */
  readonly exists: (path: string) => boolean;
  /** Paths of all source files. */
  readonly sources: readonly string[];
}

/**
 * Checks the pages against the project.
 *
 * @returns One line for each fault; empty if all is well.
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
