import { Chart, type ChartConfiguration, type ChartType } from "chart.js";
import { type CanvasLibrary, type Context, loadCanvas, type Surface } from "./canvas.ts";
import { FONT_FAMILY } from "./font.ts";
import { chartCanvas } from "./chart_canvas.ts";
import { INK } from "./palette.ts";
import { withResolution } from "./png.ts";
import { finishSvg, type Recorded, recordSvg, svgPath } from "./svg.ts";
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

/** The files of a picture: pixels for a screen or a slide, lines and text for print. */
export type Medium = "png" | "svg";

/**
 * Draws a picture twice, by the same code: as a PNG file of 300 DPI, and as an SVG file of the same name.
 *
 * @param path The PNG file. A reader never sees half of a file.
 * @param size Width and height, inches.
 * @param draw Draws it on a page.
 * @param library From {@linkcode loadCanvas}; loaded if left out, which needs --allow-ffi.
 *
 * @example
 * ```ts
 * import { drawPicture } from "./picture_page.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await drawPicture(`${folder}/a.png`, { width: 4, height: 3 }, (page) => {
 *   page.drawHeader({ title: "Throughput", subtitle: "pythia-2.8b", note: "", legend: [] });
 * });
 * console.log([...Deno.readDirSync(folder)].map(({ name }) => name).sort()); // [ "a.png", "a.svg" ]
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function drawPicture(
  path: string,
  size: { width: number; height: number },
  draw: (page: Page) => void,
  library?: CanvasLibrary,
): Promise<void> {
  const loaded = library ?? await loadCanvas();
  for (const medium of ["png", "svg"] as const) {
    const page = new Page(loaded, size.width, size.height, medium);
    draw(page);
    await page.save(medium === "png" ? path : svgPath(path));
  }
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
  readonly #context: Context;
  /** For an SVG file, what its canvas does not tell. */
  readonly #recorded: Recorded = { texts: [], dashes: [] };
  /** Points. */
  readonly width: number;
  /** Points. */
  readonly height: number;
  /** The kind of file it becomes. */
  readonly medium: Medium;

  /**
   * @param library From {@linkcode loadCanvas}.
   * @param width Inches.
   * @param height Inches.
   * @param medium What {@linkcode save} writes.
   */
  constructor(library: CanvasLibrary, width: number, height: number, medium: Medium = "png") {
    this.#library = library;
    this.medium = medium;
    this.width = width * POINTS_PER_INCH;
    this.height = height * POINTS_PER_INCH;
    const pixels = [Math.round(width * DPI), Math.round(height * DPI)] as const;
    this.#surface = medium === "png" ? library.createCanvas(...pixels) : library.createSvg(...pixels);
    const context = this.#surface.getContext("2d");
    this.#context = medium === "png" ? context : recordSvg(context, this.#recorded);
    context.fillStyle = INK.background;
    context.fillRect(0, 0, this.#surface.width, this.#surface.height);
  }

  /** Draws title, terms and legend at the top. Terms that would not fit in the width are drawn smaller. */
  drawHeader(header: PageHeader): void {
    const context = this.#context;
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
    const note = header.note;
    context.font = `400 14px ${FONT_FAMILY}`;
    const noteRoom = note === "" ? 0 : context.measureText(note).width + 30;
    // Without a legend, the note has its place: the terms keep theirs.
    const isHigh = header.legend.length === 0;
    context.fillStyle = INK.muted;
    context.fillText(note, this.width - MARGIN - noteRoom + 30, isHigh ? 50 : 80);
    write(header.title, 52, 600, 27, INK.text, right - MARGIN - (isHigh ? noteRoom : 0));
    write(header.subtitle, 80, 400, 17, INK.text, this.width - 2 * MARGIN - (isHigh ? 0 : noteRoom));
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
    const context = this.#context;
    context.save();
    // Whole pixels: between pixels, every line and letter would be blurred.
    const corner = { x: Math.round(x * scale), y: Math.round(y * scale) };
    // Chart.js takes the canvas's size as points and enlarges it by the ratio.
    const canvas = chartCanvas(context, corner, Math.floor(width), Math.floor(height));
    // Its types know only the browser's canvas. It uses no more of it than this canvas has.
    const chart = new Chart(canvas as never, configure(scale));
    chart.destroy();
    context.restore();
  }

  /**
   * Draws by hand.
   *
   * @param draw Receives the canvas's context, whose unit is the point, and a function that rounds a length or a place
   * to whole pixels: a rectangle between two such places has sharp edges and no seam to its neighbour.
   */
  paint(draw: (context: Context, snap: (points: number) => number) => void): void {
    const scale = DPI / POINTS_PER_INCH;
    const context = this.#context;
    context.save();
    context.scale(scale, scale);
    draw(context, (points) => Math.round(points * scale) / scale);
    context.restore();
  }

  /**
   * Makes a bitmap to draw on and place on the page.
   *
   * @param width Pixels, as `height`.
   * @returns A transparent canvas.
   */
  makeBitmap(width: number, height: number): Surface {
    return this.#library.createCanvas(width, height);
  }

  /**
   * Returns the width of a text.
   *
   * @param text One line.
   * @param size Of the font, points.
   * @param weight Of the font.
   * @returns Points.
   */
  measure(text: string, size: number, weight = 400): number {
    const context = this.#context;
    context.save();
    context.font = `${weight} ${size}px ${FONT_FAMILY}`;
    const { width } = context.measureText(text);
    context.restore();
    return width;
  }

  /**
   * Writes the page as a PNG file that states its resolution, or as an SVG file of its size in inches.
   *
   * @param path The file. A reader never sees half of it.
   */
  async save(path: string): Promise<void> {
    if (this.medium === "png") {
      await writeAtomic(path, withResolution(await this.#library.encodePng(this.#surface), DPI));
    } else {
      const inches = { width: this.width / POINTS_PER_INCH, height: this.height / POINTS_PER_INCH };
      await writeAtomic(path, finishSvg(await this.#library.encodeSvg(this.#surface), this.#recorded, inches));
    }
  }
}
