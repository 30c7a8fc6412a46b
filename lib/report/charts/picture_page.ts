import { Chart, type ChartConfiguration, type ChartType } from "chart.js";
import { type CanvasLibrary, type Context, FONT_FAMILY, type Surface } from "./canvas.ts";
import { INK } from "./palette.ts";
import { withResolution } from "./png.ts";
import { writeAtomic } from "../../util/write_atomic.ts";

/** Pixels per inch of every picture. */
const DPI = 300;
/** Points per inch. All lengths here are points unless they say otherwise: 14 is the size of a 14 pt font in print. */
const POINTS_PER_INCH = 72;
/** Margin at the page's edges. */
export const MARGIN = 36;
/** Height of the header at the page's top. */
export const HEADER_HEIGHT = 108;

/** Header over the charts of a page. */
export interface PageHeader {
  title: string;
  /** What was measured, and on what: a picture out of its context still names its terms. */
  subtitle: string;
  /** How to read it; "" for no note. */
  note: string;
  legend: readonly { label: string; color: string }[];
}

/**
 * A white page to place charts on. Its unit is the point (1/72 inch); its file has 300 DPI.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { Page } from "./picture_page.ts";
 *
 * const page = new Page(await loadCanvas(), 4, 3);
 * page.drawHeader({ title: "Throughput", subtitle: "pythia-2.8b", note: "", legend: [] });
 * console.log(page.width, page.height); // 288 216
 * ```
 */
export class Page {
  readonly #library: CanvasLibrary;
  readonly #surface: Surface;
  /** Points. */
  readonly width: number;
  /** Points. */
  readonly height: number;

  /**
   * @param library From {@linkcode loadCanvas}.
   * @param width Inches.
   * @param height Inches.
   */
  constructor(library: CanvasLibrary, width: number, height: number) {
    this.#library = library;
    this.width = width * POINTS_PER_INCH;
    this.height = height * POINTS_PER_INCH;
    this.#surface = library.createCanvas(Math.round(width * DPI), Math.round(height * DPI));
    const context = this.#surface.getContext("2d");
    context.fillStyle = INK.background;
    context.fillRect(0, 0, this.#surface.width, this.#surface.height);
  }

  /** Draws title, terms and legend at the top. Terms that would not fit in the width are drawn smaller. */
  drawHeader(header: PageHeader): void {
    const context = this.#surface.getContext("2d");
    context.save();
    context.scale(DPI / POINTS_PER_INCH, DPI / POINTS_PER_INCH);
    context.textBaseline = "alphabetic";

    context.font = `400 15px ${FONT_FAMILY}`;
    let right = this.width - MARGIN;
    for (const { label, color } of header.legend.toReversed()) {
      right -= context.measureText(label).width;
      context.fillStyle = INK.text;
      context.fillText(label, right, 50);
      right -= 20;
      context.fillStyle = color;
      context.fillRect(right, 38, 14, 14);
      right -= 22;
    }

    const write = (text: string, y: number, weight: number, size: number, color: string, room: number) => {
      context.font = `${weight} ${size}px ${FONT_FAMILY}`;
      const fitting = Math.min(size, size * room / context.measureText(text).width);
      context.font = `${weight} ${fitting}px ${FONT_FAMILY}`;
      context.fillStyle = color;
      context.fillText(text, MARGIN, y);
    };
    write(header.title, 52, 600, 27, INK.text, right - MARGIN);
    const note = header.note;
    context.font = `400 14px ${FONT_FAMILY}`;
    const noteWidth = context.measureText(note).width;
    context.fillStyle = INK.muted;
    context.fillText(note, this.width - MARGIN - noteWidth, 80);
    write(header.subtitle, 80, 400, 17, INK.text, this.width - 2 * MARGIN - noteWidth - 30);
    context.restore();
  }

  /**
   * Draws a chart.
   *
   * @param x Left edge, points; `y` is the top edge.
   * @param width Points, as `height`.
   * @param configure Returns the chart's configuration for a number of pixels per point.
   */
  place<T extends ChartType>(
    { x, y, width, height }: { x: number; y: number; width: number; height: number },
    configure: (devicePixelRatio: number) => ChartConfiguration<T>,
  ): void {
    const scale = DPI / POINTS_PER_INCH;
    // Chart.js takes the canvas's size as points and enlarges it by the ratio.
    const surface = this.#library.createCanvas(Math.floor(width), Math.floor(height));
    // Its types know only the browser's canvas. It uses no more of it than this canvas has.
    const chart = new Chart(surface as never, configure(scale));
    // Whole pixels: between pixels, every line and letter would be blurred.
    this.#surface.getContext("2d").drawImage(surface as never, Math.round(x * scale), Math.round(y * scale));
    chart.destroy();
  }

  /**
   * Draws by hand.
   *
   * @param draw Receives the canvas's context, whose unit is the point, and a function that rounds a length or a place
   * to whole pixels: a rectangle between two such places has sharp edges and no seam to its neighbour.
   */
  paint(draw: (context: Context, snap: (points: number) => number) => void): void {
    const scale = DPI / POINTS_PER_INCH;
    const context = this.#surface.getContext("2d");
    context.save();
    context.scale(scale, scale);
    draw(context, (points) => Math.round(points * scale) / scale);
    context.restore();
  }

  /**
   * Writes the page as a PNG file that states its resolution.
   *
   * @param path The file. A reader never sees half of it.
   */
  async save(path: string): Promise<void> {
    await writeAtomic(path, withResolution(await this.#library.encodePng(this.#surface), DPI));
  }
}
