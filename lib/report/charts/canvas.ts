import { FONT_FAMILY, FONT_WEIGHTS, fontFile } from "./font.ts";
import type { Canvas, SKRSContext2D, SvgCanvas } from "@napi-rs/canvas";

/** A canvas to draw on: the API that both libraries share. */
export type Surface = Pick<Canvas, "width" | "height"> & { getContext(kind: "2d"): Context };

/** What draws on it. */
export type Context = SKRSContext2D;

/** One of the canvas libraries, ready to draw text. */
export interface CanvasLibrary {
  /** Name of the package. */
  readonly name: CanvasName;
  /** Makes a transparent canvas; sizes in pixels. */
  createCanvas(width: number, height: number): Surface;
  /** Encodes the picture as a PNG file. */
  encodePng(surface: Surface): Promise<Uint8Array>;
  /** Makes a canvas that records what is drawn; sizes in pixels. */
  createSvg(width: number, height: number): Surface;
  /** Returns what a canvas of `createSvg` has recorded, as an SVG file: shapes as paths, text as text. */
  encodeSvg(surface: Surface): Promise<string>;
}

/** The packages that draw, in order of preference. Both are Skia: the picture is the same. */
export type CanvasName = "skia-canvas" | "@napi-rs/canvas";

/**
 * Opens a canvas library: skia-canvas, or @napi-rs/canvas where skia-canvas's binary is not installed (its install
 * script fetches it from outside the registry). No display is used. The addon needs --allow-ffi.
 *
 * @param names The libraries to try, in order; both if left out.
 * @returns The first one that loads, with the fonts registered.
 * @throws {Error} If none loads; `errors` of its cause has a reason for each.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 *
 * const library = await loadCanvas();
 * const canvas = library.createCanvas(200, 100);
 * canvas.getContext("2d").fillRect(20, 20, 60, 40);
 * console.log((await library.encodePng(canvas)).length > 0); // true
 * ```
 */
export async function loadCanvas(names: readonly CanvasName[] = ["skia-canvas", "@napi-rs/canvas"]) {
  const errors: unknown[] = [];
  for (const name of names) {
    try {
      return await LOADERS[name]();
    } catch (error) {
      errors.push(error);
    }
  }
  const reasons = errors.map((error, index) => `${names[index]}: ${firstLine(error)}`).join("; ");
  throw new Error(`Cannot draw: no canvas library loads (${reasons})`, { cause: new AggregateError(errors) });
}

const LOADERS: Record<CanvasName, () => Promise<CanvasLibrary>> = {
  "skia-canvas": async () => {
    const { Canvas, FontLibrary } = await import("skia-canvas");
    if (!FontLibrary.has(FONT_FAMILY)) FontLibrary.use(FONT_FAMILY, fontFiles());
    // On the CPU: drawing must not touch the GPU under measurement, and many machines have no Vulkan.
    const create = (width: number, height: number) => {
      const canvas = new Canvas(width, height);
      canvas.gpu = false;
      return canvas;
    };
    return {
      name: "skia-canvas",
      createCanvas: (width, height) => create(width, height) as unknown as Surface,
      encodePng: (surface) => (surface as unknown as ReturnType<typeof create>).toBuffer("png"),
      // Every canvas of this library records.
      createSvg: (width, height) => create(width, height) as unknown as Surface,
      encodeSvg: async (surface) =>
        (await (surface as unknown as ReturnType<typeof create>).toBuffer("svg", { outline: false })).toString(),
    };
  },
  "@napi-rs/canvas": async () => {
    const { createCanvas, GlobalFonts, SvgExportFlag } = await import("@napi-rs/canvas");
    // A system's own Inter would be found under this name too, perhaps without these weights: always register the
    // project's.
    registered ||= fontFiles().map((path) => GlobalFonts.registerFromPath(path, FONT_FAMILY)).every(Boolean);
    if (!registered) throw new Error(`Cannot register the font ${FONT_FAMILY}`);
    return {
      name: "@napi-rs/canvas",
      createCanvas,
      encodePng: (surface) => (surface as Canvas).encode("png"),
      createSvg: (width, height) => createCanvas(width, height, SvgExportFlag.NoPrettyXML) as unknown as Surface,
      encodeSvg: (surface) => Promise.resolve((surface as unknown as SvgCanvas).getContent().toString()),
    };
  },
};

let registered = false;

function fontFiles(): string[] {
  return FONT_WEIGHTS.map(fontFile);
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0]!;
}
