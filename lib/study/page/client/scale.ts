/// <reference lib="dom" />
import type { ScaleOptionsByType } from "chart.js";
import type { SpreadAxis } from "../../../report/charts/spread_axis.ts";
import { significant } from "../../../report/tables/significant.ts";
import type { Theme } from "./theme.ts";

/** A scale of Chart.js. */
type Scale =
  & { type: "linear" | "logarithmic" }
  & Partial<
    Pick<ScaleOptionsByType<"linear">, "min" | "max" | "afterBuildTicks">
  >
  & { title: object; grid: object; border: object; ticks: object };

/**
 * Makes a scale of Chart.js from an axis.
 *
 * @param axis From `spreadAxis()`.
 * @param theme Colours.
 * @param isSigned Whether figures may be negative.
 *
 * @example
 * ```ts
 * import { spreadAxis } from "../../../report/charts/spread_axis.ts";
 * import { scaleOf } from "./scale.ts";
 *
 * const theme = { isDark: false, text: "#000", muted: "#666", grid: "#eee", page: "#fff" };
 * console.log(scaleOf(spreadAxis([{ value: 1 }, { value: 90 }], "KL"), theme).type); // logarithmic
 * ```
 */
export function scaleOf(axis: SpreadAxis, theme: Theme, isSigned = false): Scale {
  const labels = new Map(axis.ticks?.map(({ value, label }) => [value, label]));
  return {
    type: axis.logarithmic ? "logarithmic" : "linear",
    // A rim around figures that cannot be negative goes no lower than zero.
    min: isSigned ? axis.min : Math.max(0, axis.min),
    max: axis.max,
    title: { display: axis.title !== "", text: axis.title, color: theme.text, font: { size: 13 } },
    grid: { color: theme.grid },
    border: { color: theme.muted },
    ticks: {
      color: theme.text,
      maxRotation: 0,
      autoSkipPadding: 12,
      includeBounds: false,
      // Labels of round numbers have no more digits than they need.
      callback: (value: number) => labels.get(value) ?? (axis.logarithmic ? "" : String(Number(significant(value, 3)))),
    },
    ...(axis.ticks
      ? { afterBuildTicks: (scale) => void (scale.ticks = axis.ticks!.map(({ value }) => ({ value }))) }
      : {}),
  };
}

/**
 * Returns where a figure is drawn: on a logarithmic axis, zero has a place of its own.
 *
 * @example
 * ```ts
 * import { placeOn } from "./scale.ts";
 *
 * console.log(placeOn({ title: "", logarithmic: true, min: 0.01, max: 1, zero: 0.02 }, 0)); // 0.02
 * ```
 */
export function placeOn({ logarithmic, zero, min, max }: SpreadAxis, value: number): number {
  return logarithmic && value <= 0 ? zero ?? min : Math.min(max, Math.max(min, value));
}
