import { type BarPanel, barPanelChart } from "./bar_panel.ts";
import { type CanvasLibrary, loadCanvas } from "./canvas.ts";
import { HEADER_HEIGHT, MARGIN, Page, type PageHeader } from "./picture_page.ts";

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
 * Draws a picture of bar charts at 300 DPI into a PNG file. Needs no display, but --allow-ffi for the canvas addon.
 *
 * @param figure What to draw.
 * @param path The file. A reader never sees half of it.
 * @param library From {@linkcode loadCanvas}; loaded if left out.
 *
 * @example
 * ```ts
 * import { drawFigure } from "./bar_chart_grid.ts";
 *
 * const path = await Deno.makeTempFile({ suffix: ".png" });
 * await drawFigure({
 *   title: "Precision", subtitle: "pythia-2.8b", note: "", legend: [], width: 4, height: 3, columns: 1,
 *   panels: [{
 *     title: "Throughput", subtitle: "(Higher is Better)", axis: "tokens/s", range: { min: 0, max: 180 },
 *     format: (value) => value.toFixed(1), bars: [{ label: "fp16", color: "gray", value: 156.78, deviation: 0 }],
 *   }],
 * }, path);
 * await Deno.remove(path);
 * ```
 */
export async function drawFigure(figure: Figure, path: string, library?: CanvasLibrary): Promise<void> {
  const page = new Page(library ?? await loadCanvas(), figure.width, figure.height);
  page.drawHeader(figure);
  const rows = Math.ceil(figure.panels.length / figure.columns);
  const width = (page.width - 2 * MARGIN - (figure.columns - 1) * GAP.x) / figure.columns;
  const height = (page.height - HEADER_HEIGHT - MARGIN / 2 - (rows - 1) * GAP.y) / rows;
  figure.panels.forEach((panel, index) => {
    const x = MARGIN + (index % figure.columns) * (width + GAP.x);
    const y = HEADER_HEIGHT + Math.floor(index / figure.columns) * (height + GAP.y);
    page.place({ x, y, width, height }, (ratio) => barPanelChart(panel, width, ratio));
  });
  await page.save(path);
}
