import { type BarPanel, barPanelChart } from "./bar_panel.ts";
import type { CanvasLibrary } from "./canvas.ts";
import { drawPicture, HEADER_HEIGHT, MARGIN, type PageHeader } from "./picture_page.ts";

/** Gap between charts, points. */
const GAP = { x: 30, y: 22 };

/** A picture of bar charts in a grid. */
export interface Figure extends PageHeader {
  /** Inches. */
  width: number;
  /** Inches. */
  height: number;
  /** Charts per row. */
  columns: number;
  panels: readonly BarPanel[];
}

/**
 * Draws a picture of bar charts at 300 DPI into a PNG file, and an SVG file. Needs no display, but --allow-ffi for the canvas addon.
 *
 * @param figure What to draw.
 * @param path The file. A reader never sees half of it.
 * @param library From {@linkcode loadCanvas}; loaded if left out.
 *
 * @example
 * ```ts
 * import { drawFigure } from "./bar_chart_grid.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await drawFigure({
 *   title: "Precision", subtitle: "pythia-2.8b", note: "", legend: [], width: 4, height: 3, columns: 1,
 *   panels: [{
 *     title: "Throughput", subtitle: "(Higher is Better)", axis: "tokens/s", range: { min: 0, max: 180 },
 *     format: (value) => value.toFixed(1), bars: [{ label: "fp16", color: "gray", value: 156.78, deviation: 0 }],
 *   }],
 * }, `${folder}/precision.png`);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function drawFigure(figure: Figure, path: string, library?: CanvasLibrary): Promise<void> {
  const rows = Math.ceil(figure.panels.length / figure.columns);
  await drawPicture(path, figure, (page) => {
    page.drawHeader(figure);
    const width = (page.width - 2 * MARGIN - (figure.columns - 1) * GAP.x) / figure.columns;
    const height = (page.height - HEADER_HEIGHT - MARGIN / 2 - (rows - 1) * GAP.y) / rows;
    // The panels have the same names: each is measured once.
    const widths = new Map<string, number>();
    const measure = (text: string, size: number) =>
      widths.getOrInsertComputed(`${size} ${text}`, () => page.measure(text, size));
    figure.panels.forEach((panel, index) => {
      const x = MARGIN + (index % figure.columns) * (width + GAP.x);
      const y = HEADER_HEIGHT + Math.floor(index / figure.columns) * (height + GAP.y);
      page.place({ x, y, width, height }, (ratio) => barPanelChart(panel, { width, height }, measure, ratio));
    });
  }, library);
}
