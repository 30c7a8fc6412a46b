import type { CanvasLibrary, Context, Surface } from "./canvas.ts";
import { FONT_FAMILY } from "./font.ts";
import { drawColorBar } from "./color_bar.ts";
import { drawHeatRows, type HeatRow, heatRow } from "./heat_rows.ts";
import { pickEvenly } from "./held_share.ts";
import { drawPicture, HEADER_HEIGHT, MARGIN } from "./picture_page.ts";
import { INK } from "./palette.ts";
import { linearTicks } from "./round_ticks.ts";
import type { Trace, TraceSnapshot } from "../results/trace_types.ts";

/** Most maps on one page. */
const MOST_PANELS = 6;
/** Most rectangles that are shapes of their own in an SVG file. */
const MOST_SHAPES = 10_000;
/** Inches. */
const PAGE_WIDTH = 14;
const POINTS_PER_INCH = 72;
/**
 * Space around the maps, points: left for layers, right for the colour bar, over each for its label, below for the
 * axis.
 */
const ROOM = { left: 58, right: 128, over: 26, below: 58 };
/** Space below the colour bar for its boxes. */
const BOXES = 60;
/** Least column width, points: four pixels in print, still one if the picture fills a small screen. */
const NARROWEST = 1;

/** Options of a heatmap. */
export interface HeatmapOptions {
  /** The model's name, for the header. */
  model?: string;
  /** From {@linkcode loadCanvas}; loaded if left out, which needs --allow-ffi. */
  library?: CanvasLibrary;
}

/** One map. */
interface Panel {
  trace: Trace;
  snapshot: TraceSnapshot;
  /** Label above it. */
  label: string;
}

/** Positions of the parts, points. */
interface Layout {
  x: number;
  width: number;
  /** Height of a layer. */
  row: number;
  /** Text positions per column, and the column's width. */
  positions: number;
  column: number;
}

/**
 * Draws what caches held: layers from top to bottom, the text from left to right, and as colour the share of heads that
 * hold a position. One trace is drawn at up to six of its snapshots; several traces are drawn below each other, each at
 * its last snapshot. With more positions than columns, a column is their mean. 4200 pixels wide, at
 * 300 DPI, and an SVG file of the same name, where maps of very many cells are bitmaps.
 *
 * @param traces One or several. Layers that hold everything, including skipped ones, are drawn as held.
 * @param path The file. A reader never sees half of it.
 * @param options The model's name; the canvas library.
 * @throws {RangeError} If the traces hold nothing to draw.
 *
 * @example
 * ```ts
 * import { drawHeatmap } from "./heatmap.ts";
 * import { readTrace } from "../results/trace.ts";
 *
 * async function redraw(folder: string) {
 *   const trace = await readTrace(`${folder}/trace_streaming_256.json`);
 *   await drawHeatmap([trace], `${folder}/trace_streaming_256.png`, { model: "pythia-2.8b" });
 * }
 * ```
 */
export async function drawHeatmap(traces: readonly Trace[], path: string, options: HeatmapOptions = {}): Promise<void> {
  const panels = panelsOf(traces);
  const shown = panels.slice(0, MOST_PANELS);
  const span = Math.max(0, ...shown.map(({ snapshot }) => snapshot.tokens));
  const layers = Math.max(0, ...shown.map(({ trace }) => trace.layers));
  if (span === 0 || layers === 0) throw new RangeError("Cannot draw a trace: it holds no moment of any text");

  const width = PAGE_WIDTH * POINTS_PER_INCH - 2 * MARGIN - ROOM.left - ROOM.right;
  const positions = Math.ceil(span * NARROWEST / width);
  const layout: Layout = {
    x: MARGIN + ROOM.left,
    width,
    row: shown.length === 1
      ? Math.min(34, Math.max(5, 420 / layers))
      : Math.min(24, Math.max(3, 900 / shown.length / layers)),
    positions,
    column: width * positions / span,
  };
  const heights = shown.map(({ trace }) => ROOM.over + trace.layers * layout.row);
  const bottom = HEADER_HEIGHT + heights.reduce((a, b) => a + b);
  const bar = Math.max(80, Math.min(190, bottom - HEADER_HEIGHT - ROOM.over - BOXES));
  const height = Math.max(bottom + ROOM.below, HEADER_HEIGHT + ROOM.over + bar + BOXES + 10);

  const maps = shown.map((panel) => ({
    ...panel,
    rows: panel.snapshot.held.map((heads) => heatRow(heads, panel.snapshot.tokens, positions)),
  }));
  const rectangles = maps.flatMap(({ rows }) => rows).reduce((sum, row) => sum + row.length, 0);
  await drawPicture(path, { width: PAGE_WIDTH, height: height / POINTS_PER_INCH }, (page) => {
    page.drawHeader(headerOf(traces, shown, options.model));
    // A shape for each cell would make an SVG file of megabytes: then maps are small bitmaps, a pixel for each cell.
    const makeBitmap = page.medium === "svg" && rectangles > MOST_SHAPES
      ? (width: number, height: number) => page.makeBitmap(width, height)
      : undefined;
    page.paint((context, snap) => {
      let y = HEADER_HEIGHT;
      maps.forEach((panel, index) => {
        drawPanel(context, snap, panel, layout, y + ROOM.over, makeBitmap);
        y += heights[index]!;
      });
      drawAxis(context, layout, span, y);
      drawColorBar(context, {
        x: layout.x + width + 24,
        y: HEADER_HEIGHT + ROOM.over,
        height: bar,
        unread: shown.some(({ snapshot }) => snapshot.tokens < span),
      });
    });
  }, options.library);
}

function panelsOf(traces: readonly Trace[]): Panel[] {
  const [only] = traces;
  if (only !== undefined && traces.length === 1) {
    return pickEvenly(only.snapshots, MOST_PANELS)
      .map((snapshot) => ({ trace: only, snapshot, label: describe(only, snapshot) }));
  }
  return traces.flatMap((trace) => {
    const snapshot = trace.snapshots.at(-1);
    return snapshot === undefined
      ? []
      : [{ trace, snapshot, label: `${trace.configuration}  ·  ${describe(trace, snapshot)}` }];
  });
}

/** Describes in words how much is held. */
function describe(trace: Trace, { tokens, held }: TraceSnapshot): string {
  const sizes = held.flatMap((heads, layer) => {
    if (trace.skip_layers.includes(layer)) return [];
    return heads.length === 0 ? [tokens] : heads.map((runs) => runs.reduce((sum, [, count]) => sum + count, 0));
  });
  const [least, most] = [sizes, sizes].map((list, index) =>
    list.reduce((a, b) => index === 0 ? Math.min(a, b) : Math.max(a, b), list[0] ?? tokens)
  ) as [number, number];
  const after = `After ${whole(tokens)} tokens`;
  if (least === tokens) return `${after}, all of them are held`;
  return `${after}, a head holds ${least === most ? whole(most) : `${whole(least)} to ${whole(most)}`} of them`;
}

function headerOf(traces: readonly Trace[], shown: readonly Panel[], model: string | undefined) {
  const { trace } = shown[0]!;
  const total = traces.length === 1 ? trace.snapshots.length : traces.length;
  const same = <T>(of: (trace: Trace) => T) => new Set(shown.map(({ trace }) => String(of(trace)))).size === 1;
  const last = Math.max(...shown.map(({ snapshot }) => snapshot.tokens));
  const skipped = trace.skip_layers.toSorted((a, b) => a - b).join(", ");
  return {
    title: `Positions of the text that are held${traces.length === 1 ? `: ${trace.configuration}` : ""}`,
    subtitle: [
      ...(model === undefined ? [] : [model]),
      ...(same(({ positions }) => positions) ? [`${trace.positions} positions`] : []),
      `${whole(last)} tokens read`,
      ...(same(({ layers, kv_heads }) => [layers, kv_heads])
        ? [`${plural(trace.layers, "layer")} of ${plural(trace.kv_heads, "KV head")}`]
        : []),
      ...(same(({ skip_layers }) => skip_layers)
        ? [skipped === "" ? "no layer skipped" : `layers skipped: ${skipped}`]
        : []),
    ].join("  ·  "),
    note: total > shown.length ? `${shown.length} of ${total} ${traces.length === 1 ? "moments" : "traces"}` : "",
    legend: [],
  };
}

function drawPanel(
  context: Context,
  snap: (points: number) => number,
  { trace, snapshot, label, rows }: Panel & { rows: HeatRow[] },
  { x, width, row, positions, column }: Layout,
  y: number,
  makeBitmap?: (width: number, height: number) => Surface,
): void {
  context.fillStyle = INK.text;
  context.font = `500 14px ${FONT_FAMILY}`;
  context.textAlign = "left";
  context.fillText(label, x, y - 8);

  const read = Math.min(width, snapshot.tokens * column / positions);
  const gap = row >= 6 ? 0.5 : 0;
  drawHeatRows(context, snap, rows, { x, y, column, read, row, gap }, makeBitmap);
  rows.forEach((_, layer) => {
    if (trace.skip_layers.includes(layer) && row >= 13 && read > 80) {
      context.fillStyle = INK.background;
      context.font = `400 11px ${FONT_FAMILY}`;
      context.textBaseline = "middle";
      context.fillText("skipped", x + 8, y + (layer + 0.5) * row);
      context.textBaseline = "alphabetic";
    }
  });

  context.fillStyle = INK.muted;
  context.font = `400 12px ${FONT_FAMILY}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const step = [1, 2, 4, 8, 16, 32].find((step) => step * row >= 14) ?? 64;
  for (let layer = 0; layer < trace.layers; layer += step) {
    context.fillText(String(layer), x - 8, y + (layer + 0.5) * row);
  }
  context.textBaseline = "alphabetic";
  context.save();
  context.translate(MARGIN + 14, y + trace.layers * row / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.font = `500 14px ${FONT_FAMILY}`;
  context.fillText("Layer", 0, 0);
  context.restore();
}

/** Labels positions below the last map; all maps share them. */
function drawAxis(context: Context, { x, width, positions }: Layout, span: number, y: number): void {
  context.strokeStyle = INK.axis;
  context.lineWidth = 0.75;
  context.fillStyle = INK.muted;
  context.font = `400 13px ${FONT_FAMILY}`;
  context.textAlign = "center";
  for (const position of linearTicks(0, span, 10)) {
    const at = x + width * position / span;
    context.beginPath();
    context.moveTo(at, y + 2);
    context.lineTo(at, y + 7);
    context.stroke();
    context.fillText(whole(position), at, y + 20);
  }
  context.font = `500 14px ${FONT_FAMILY}`;
  const columns = positions > 1 ? `; a column is the mean of ${positions}` : "";
  context.fillText(`Position in the text (tokens${columns})`, x + width / 2, y + 42);
}

const whole = (count: number) => count.toLocaleString("en-US");
const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
