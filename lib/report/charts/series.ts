/** A configuration's name in two parts: what it is one of, and how large it is. */
export interface SeriesName {
  /** The name without the size: a line in pictures. */
  series: string;
  /** The size, as the name has it; "" if the name has none. */
  size: string;
}

/**
 * Splits the name of a configuration into its series and its size: the configurations of a series differ in size alone.
 *
 * The size is the last number of its own between underscores, with a percent sign or a decimal point; else a number at
 * the end of the first word; else a share after the last `=`.
 *
 * @param name Name in the table; it may end in `@` and how positions are numbered, which belongs to the series.
 * @returns Both parts.
 *
 * @example
 * ```ts
 * import { seriesOf } from "./series.ts";
 *
 * console.log(seriesOf("snapkv_512_obs32@cache")); // { series: "snapkv_obs32@cache", size: "512" }
 * console.log(seriesOf("fix256_keep_low_kr=0.5")); // { series: "fix_keep_low_kr=0.5", size: "256" }
 * console.log(seriesOf("l2_kr=0.5")); // { series: "l2", size: "0.5" }
 * ```
 */
export function seriesOf(name: string): SeriesName {
  const at = name.lastIndexOf("@");
  const [body, terms] = at > 0 ? [name.slice(0, at), name.slice(at)] : [name, ""];
  const words = body.split("_");
  const place = words.findLastIndex((word, index) => index > 0 && /^\d+(\.\d+)?%?$/.test(word));
  if (place > 0) return { series: words.toSpliced(place, 1).join("_") + terms, size: words[place]! };
  const [, first, number, rest] = /^([a-z]+)(\d{2,})(_.*)?$/i.exec(body) ?? [];
  if (number !== undefined) return { series: `${first}${rest ?? ""}${terms}`, size: number };
  const [, left, share] = /^(.+?)(?:_[a-z]+)?=(\d+(?:\.\d+)?%?)$/i.exec(body) ?? [];
  if (share !== undefined) return { series: `${left}${terms}`, size: share };
  return { series: name, size: "" };
}
