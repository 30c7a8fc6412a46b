/**
 * Formats a number of bytes for people, in powers of 1000 as on the hub's pages.
 *
 * @example
 * ```ts
 * import { byteCount } from "./byte_count.ts";
 *
 * console.log(byteCount(166_000_000), byteCount(5.678e9)); // 166 MB 5.68 GB
 * ```
 */
export function byteCount(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}
