import type { PageLook } from "../page_data.ts";
import type { Theme } from "./theme.ts";

/**
 * Returns Chart.js's options of a line and its points.
 *
 * @example
 * ```ts
 * import { lineStyle } from "./line_style.ts";
 *
 * const look = { light: "#117733", dark: "#66aa77", lightRim: "#004411", darkRim: "#99ddaa", dash: [],
 *   marker: { style: "circle", rotation: 0, hollow: true } };
 * const theme = { isDark: false, text: "#000", muted: "#666", grid: "#eee", page: "#fff" };
 * console.log(lineStyle(look, theme).pointBackgroundColor); // #fff
 * ```
 */
export function lineStyle(look: PageLook, theme: Theme) {
  const [color, rim] = theme.isDark ? [look.dark, look.darkRim] : [look.light, look.lightRim];
  const { style, rotation, hollow } = look.marker;
  return {
    borderColor: color,
    borderWidth: 1.5,
    borderDash: [...look.dash],
    pointStyle: style as "circle",
    rotation,
    pointRotation: rotation,
    pointRadius: 5,
    pointHoverRadius: 7,
    pointBackgroundColor: hollow ? theme.page : color,
    pointBorderColor: rim,
    pointBorderWidth: 1.5,
    rim,
  };
}
