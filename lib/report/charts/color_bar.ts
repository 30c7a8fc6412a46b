import type { Context } from "./canvas.ts";
import { FONT_FAMILY } from "./font.ts";
import { HEAT_NONE, heatColor, INK } from "./palette.ts";

/** Width of the bar and of the boxes below it, points. */
const WIDTH = 16;

/**
 * Draws the key to a heatmap's colours: a bar from all heads to few, and separate boxes for none and for text that had
 * not been read.
 *
 * @param context Its unit is the point.
 * @param x Left edge, points; `y` is the top edge.
 * @param height Height of the bar, points. The boxes take up to 60 more.
 * @param unread Whether some text had not been read.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { drawColorBar } from "./color_bar.ts";
 *
 * const context = (await loadCanvas()).createCanvas(120, 200).getContext("2d");
 * drawColorBar(context, { x: 10, y: 10, height: 120, unread: false });
 * ```
 */
export function drawColorBar(
  context: Context,
  { x, y, height, unread }: { x: number; y: number; height: number; unread: boolean },
): void {
  const steps = 256;
  for (let step = 0; step < steps; step++) {
    context.fillStyle = heatColor((1 - step / steps) ** 2);
    // Each rectangle extends to the end, and the next covers the rest: no seams.
    context.fillRect(x, y + height * step / steps, WIDTH, height * (steps - step) / steps);
  }
  const boxes = [{ color: HEAT_NONE, label: "none" }];
  if (unread) boxes.push({ color: INK.background, label: "not read yet" });
  boxes.forEach(({ color }, index) => {
    context.fillStyle = color;
    context.fillRect(x, y + height + 10 + 24 * index, WIDTH, WIDTH);
    context.strokeStyle = INK.axis;
    context.lineWidth = 0.5;
    context.strokeRect(x, y + height + 10 + 24 * index, WIDTH, WIDTH);
  });
  context.fillStyle = INK.muted;
  context.font = `400 12px ${FONT_FAMILY}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  // Scaled by the square root, as in heatColor().
  for (const share of height >= 110 ? [1, 0.5, 0.25, 0.1, 0.01] : [1, 0.25]) {
    context.fillText(`${share * 100} %`, x + WIDTH + 6, y + height * (1 - Math.sqrt(share)));
  }
  context.fillText("> 0", x + WIDTH + 6, y + height);
  boxes.forEach(({ label }, index) => context.fillText(label, x + WIDTH + 6, y + height + 10 + 24 * index + WIDTH / 2));
  context.textBaseline = "alphabetic";
  context.font = `500 13px ${FONT_FAMILY}`;
  context.fillText("Heads that hold it", x, y - 12);
}
