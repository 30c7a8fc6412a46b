// Deno installs a package only if a module of it is imported.
import "@fontsource/inter/package.json" with { type: "json" };
import { fromFileUrl } from "@std/path";

/** Font family of all text. It comes with the project, because machines may have no fonts or other ones. */
export const FONT_FAMILY = "Inter";

/** Available weights of {@linkcode FONT_FAMILY}. */
export const FONT_WEIGHTS = [400, 500, 600] as const;

/**
 * Returns the path of the font's file of a weight.
 *
 * @param weight One of {@linkcode FONT_WEIGHTS}.
 * @returns A WOFF2 file.
 *
 * @example
 * ```ts
 * import { fontFile } from "./font.ts";
 *
 * console.log(fontFile(400).endsWith("inter-latin-400-normal.woff2")); // true
 * ```
 */
export function fontFile(weight: typeof FONT_WEIGHTS[number]): string {
  // `deno publish` rewrites only literal names.
  const font = import.meta.resolve("@fontsource/inter/package.json");
  return fromFileUrl(new URL(`files/inter-latin-${weight}-normal.woff2`, font));
}
