/// <reference lib="dom" />
import type { PageLook } from "../page_data.ts";
import { library } from "./chart.ts";
import { element } from "./parts.ts";
import type { Theme } from "./theme.ts";

/** A line of a chart in its legend. */
export interface LegendEntry {
  label: string;
  look: PageLook;
}

const WIDTH = 34;
const HEIGHT = 14;

/**
 * Writes a legend of boxes to tick: each shows or hides a line, by mouse or keyboard.
 *
 * @param list Where it goes; what was there is replaced.
 * @param entries Its lines.
 * @param hidden Labels of hidden lines; changed by the boxes.
 * @param theme Colours.
 * @param redraw Called when a line is shown or hidden.
 *
 * @example
 * ```ts
 * /// <reference lib="dom" />
 * import { writeLegend } from "./legend.ts";
 * import { currentTheme } from "./theme.ts";
 *
 * const clear = (list: HTMLElement) => writeLegend(list, [], new Set(), currentTheme(), () => {});
 * ```
 */
export function writeLegend(
  list: HTMLElement,
  entries: readonly LegendEntry[],
  hidden: Set<string>,
  theme: Theme,
  redraw: () => void,
): void {
  // Boxes are kept where they stand for the same lines: the one in focus stays in focus.
  const labels = entries.map(({ label }) => label);
  const before = [...list.querySelectorAll("label")].map((label) => label.textContent);
  if (before.length !== labels.length || before.some((label, place) => label !== labels[place])) {
    list.replaceChildren(...labels.map((text) => {
      const box = element("input");
      box.type = "checkbox";
      box.checked = !hidden.has(text);
      box.addEventListener("change", () => {
        if (box.checked) hidden.delete(text);
        else hidden.add(text);
        redraw();
      });
      return element("li", "", element("label", "", box, element("canvas"), element("span", text)));
    }));
  }
  list.querySelectorAll("canvas").forEach((canvas, place) => drawKey(canvas, entries[place]!.look, theme));
}

/** Draws a piece of a line with its point. */
function drawKey(canvas: HTMLCanvasElement, look: PageLook, { isDark, page }: Theme): void {
  const ratio = devicePixelRatio;
  canvas.width = WIDTH * ratio;
  canvas.height = HEIGHT * ratio;
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  const [fill, rim] = isDark ? [look.dark, look.darkRim] : [look.light, look.lightRim];
  context.strokeStyle = fill;
  context.lineWidth = 2;
  context.setLineDash([...look.dash]);
  context.beginPath();
  context.moveTo(0, HEIGHT / 2);
  context.lineTo(WIDTH, HEIGHT / 2);
  context.stroke();
  context.setLineDash([]);
  context.strokeStyle = rim;
  context.fillStyle = look.marker.hollow ? page : fill;
  const { style, rotation } = look.marker;
  const options = { pointStyle: style, rotation, radius: 5, borderWidth: 1.5 } as Parameters<
    ReturnType<typeof library>["helpers"]["drawPoint"]
  >[1];
  library().helpers.drawPoint(context, options, WIDTH / 2, HEIGHT / 2);
}
