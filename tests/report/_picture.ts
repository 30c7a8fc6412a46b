/** Reads picture files, for tests. */
import { createCanvas, loadImage } from "@napi-rs/canvas";

/** A rectangle in points, as the page's layout has it. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Pixels of an area, 0xrrggbb, row by row. */
export interface Pixels {
  width: number;
  data: Uint32Array;
}

/** A decoded picture. */
export interface Picture {
  width: number;
  height: number;
  area(area: Area): Pixels;
}

const PIXELS_PER_POINT = 300 / 72;

export async function readPicture(path: string): Promise<Picture> {
  const image = await loadImage(path);
  return {
    width: image.width,
    height: image.height,
    area(area) {
      const [x, y, width, height] = [area.x, area.y, area.width, area.height]
        .map((points) => Math.round(points * PIXELS_PER_POINT)) as [number, number, number, number];
      const context = createCanvas(width, height).getContext("2d");
      context.drawImage(image, -x, -y);
      const rgba = new DataView(context.getImageData(0, 0, width, height).data.buffer);
      const data = new Uint32Array(width * height);
      for (let at = 0; at < data.length; at++) data[at] = rgba.getUint32(4 * at) >>> 8;
      return { width, data };
    },
  };
}

/** "#rrggbb" as a number. */
function toNumber(color: string): number {
  return Number.parseInt(color.slice(1), 16);
}

/** Counts the pixels of a colour. */
export function countColor({ data }: Pixels, color: string): number {
  const wanted = toNumber(color);
  let count = 0;
  for (let at = 0; at < data.length; at++) if (data[at] === wanted) count++;
  return count;
}

/** The area of chart `index` of a comparison. */
export function panelArea(index: number): Area {
  const [width, height] = [(1728 - 2 * 36 - 2 * 30) / 3, (864 - 108 - 18 - 22) / 2];
  return { x: 36 + (index % 3) * (width + 30), y: 108 + Math.floor(index / 3) * (height + 22), width, height };
}

/** Columns within a bar that are not in its colours: an error bar's line. */
const WIDEST_LINE = 8;

/** Bars of some colours in an area, from left to right, and their heights in pixels. */
export function findBars({ width, data }: Pixels, colors: readonly string[]): { color: string; height: number }[] {
  const counts = colors.map((color) => {
    const wanted = toNumber(color);
    const columns = new Uint32Array(width);
    for (let at = 0; at < data.length; at++) if (data[at] === wanted) columns[at % width]!++;
    return columns;
  });
  const bars: { color: string; height: number; end: number }[] = [];
  for (let column = 0; column < width; column++) {
    const best = counts.reduce((best, count, index) => count[column]! > counts[best]![column]! ? index : best, 0);
    const height = counts[best]![column]!;
    if (height < 10) continue; // the rim of a letter may have any colour
    const last = bars.at(-1);
    if (last !== undefined && last.color === colors[best] && column - last.end <= WIDEST_LINE) {
      last.end = column;
      last.height = Math.max(last.height, height);
    } else {
      bars.push({ color: colors[best]!, height, end: column });
    }
  }
  return bars.map(({ color, height }) => ({ color, height }));
}
