import { FULL_CACHE_COLOR, type Look, type Named, seriesLooks } from "../../report/charts/method_looks.ts";
import { INK, tinted } from "../../report/charts/palette.ts";
import type { PageLook } from "./page_data.ts";

/** How far a method's colour goes to black or white so that points and labels stand out from the page. */
const TONE = { light: -0.45, dark: 0.4, darkRim: 0.65 };

/**
 * Gives the configurations of a page the looks of the suite's pictures, in light and dark: a method has one colour in
 * all of them.
 *
 * @param configurations All of the page, by name and method.
 * @returns The different looks, and for each configuration the index of its own.
 *
 * @example
 * ```ts
 * import { pageLooks } from "./looks.ts";
 *
 * const { looks, of } = pageLooks([{ name: "tova_64", method: "tova" }, { name: "tova_128", method: "tova" }]);
 * console.log(of, looks[0]?.light); // [ 0, 0 ] "#882255"
 * ```
 */
export function pageLooks(configurations: readonly Named[]): { looks: PageLook[]; of: number[] } {
  const places = new Map<string, number>();
  const looks: PageLook[] = [];
  const of = seriesLooks(configurations).map((look) => {
    const key = JSON.stringify(look);
    const known = places.get(key) ?? looks.push(inBoth(look)) - 1;
    places.set(key, known);
    return known;
  });
  return { looks, of };
}

function inBoth({ color, dash, marker }: Look): PageLook {
  const shapes = { dash: [...dash], marker: { ...marker } };
  // Near black on white is near white on black.
  if (color === FULL_CACHE_COLOR) {
    return { light: color, lightRim: color, dark: INK.grid, darkRim: INK.grid, ...shapes };
  }
  return {
    light: color,
    lightRim: tinted(color, TONE.light),
    dark: tinted(color, TONE.dark),
    darkRim: tinted(color, TONE.darkRim),
    ...shapes,
  };
}
