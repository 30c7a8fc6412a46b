/** Colours, as people with any colour vision see them. */
import { ok } from "node:assert/strict";
import { FULL_CACHE_COLOR, METHOD_COLORS } from "../../lib/report/charts/method_looks.ts";
import { KIND_COLORS } from "../../lib/report/charts/palette.ts";

type Matrix = readonly (readonly [number, number, number])[];

/**
 * From linear RGB to linear RGB as it is seen without one kind of cones: Machado, Oliveira and Fernandes 2009, "A
 * Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1.0.
 */
const VISIONS: Record<string, Matrix> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
};
/** From linear sRGB to CIE XYZ (D65), and the white point. */
const XYZ: Matrix = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
const WHITE = [0.95047, 1, 1.08883];

const times = (matrix: Matrix, vector: number[]) =>
  matrix.map((row) => row.reduce((sum, factor, at) => sum + factor * vector[at]!, 0));

/** CIE L*a*b* of a colour as it is seen. */
function seen(color: string, vision: Matrix): number[] {
  const linear = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const rgb = times(vision, linear).map((value) => Math.min(1, Math.max(0, value)));
  const [x, y, z] = times(XYZ, rgb).map((value, at) => {
    const share = value / WHITE[at]!;
    return share > 216 / 24389 ? Math.cbrt(share) : (24389 / 27 * share + 16) / 116;
  }) as [number, number, number];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Least distance (CIE 1976) between two of some colours, and which they are. */
function closest(colors: Readonly<Record<string, string>>, vision: Matrix): { distance: number; pair: string } {
  const entries = Object.entries(colors).map(([name, color]) => ({ name, lab: seen(color, vision) }));
  return entries.flatMap((a, at) =>
    entries.slice(at + 1).map((b) => ({
      distance: Math.hypot(...a.lab.map((value, axis) => value - b.lab[axis]!)),
      pair: `${a.name} and ${b.name}`,
    }))
  ).reduce((least, other) => other.distance < least.distance ? other : least);
}

for (const [vision, matrix] of Object.entries(VISIONS)) {
  Deno.test(`bars of different kinds differ, with ${vision}`, () => {
    const { distance, pair } = closest(KIND_COLORS, matrix);
    ok(distance > 24, `${pair}: ${distance}`);
    const [green, red] = [KIND_COLORS.streaming, KIND_COLORS.recent_only].map((color) => seen(color, matrix)[0]!);
    ok(green! - red! > 25, `lightness of green and red: ${green}, ${red}`);
  });

  Deno.test(`lines of different methods differ, with ${vision}`, () => {
    const { distance, pair } = closest({ ...METHOD_COLORS, "full cache": FULL_CACHE_COLOR }, matrix);
    ok(distance > 14, `${pair}: ${distance}`);
  });
}

Deno.test("the simulation itself sees colours that are alike", () => {
  // A red and a green of one lightness.
  ok(closest({ red: "#d0605e", green: "#3f9e72" }, VISIONS["deuteranopia"]!).distance < 16);
  ok(closest({ red: "#d0605e", green: "#3f9e72" }, VISIONS["normal"]!).distance > 70);
});
