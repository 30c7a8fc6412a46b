import { tinted } from "./palette.ts";
import { seriesOf } from "./series.ts";

/** Shape of a point. */
export interface Marker {
  /** Chart.js's name. */
  style: "circle" | "rect" | "rectRot" | "star" | "triangle" | "crossRot";
  /** Degrees, clockwise. */
  rotation: number;
  /** Whether only its outline is drawn. */
  hollow: boolean;
}

/** How a line and its points are drawn: a colour, and shapes that tell them apart without it. */
export interface Look {
  /** #rrggbb */
  color: string;
  /** Lengths of dashes and gaps, points; empty for a solid line. */
  dash: readonly number[];
  marker: Marker;
}

/**
 * Paul Tol's "muted" scheme of nine colours that people with any colour vision can tell apart.
 *
 * @see {@link https://personal.sron.nl/~pault/}
 */
export const METHOD_COLORS = {
  green: "#117733",
  indigo: "#332288",
  cyan: "#88ccee",
  purple: "#aa4499",
  wine: "#882255",
  sand: "#ddcc77",
  olive: "#999933",
  teal: "#44aa99",
  rose: "#cc6677",
} as const;

/** Colour of the full cache in line pictures. */
export const FULL_CACHE_COLOR = "#222222";

type Color = keyof typeof METHOD_COLORS;

const MARKERS = {
  circle: { style: "circle", rotation: 0 },
  square: { style: "rect", rotation: 0 },
  up: { style: "triangle", rotation: 0 },
  diamond: { style: "rectRot", rotation: 0 },
  down: { style: "triangle", rotation: 180 },
  right: { style: "triangle", rotation: 90 },
  left: { style: "triangle", rotation: 270 },
  star: { style: "star", rotation: 0 },
  cross: { style: "crossRot", rotation: 0 },
} as const satisfies Record<string, Omit<Marker, "hollow">>;

/**
 * Every method's colour and point. A method by the norm of keys has the colour of the one by attention, with dashes and
 * hollow points.
 */
const KNOWN: Readonly<Record<string, readonly [color: Color, marker: keyof typeof MARKERS, hollow?: true]>> = {
  streaming_llm: ["green", "circle"],
  h2o: ["indigo", "square"],
  h2o_l2: ["indigo", "square", true],
  snapkv: ["cyan", "up"],
  snapkv_lite: ["cyan", "up", true],
  pyramid_snapkv: ["purple", "diamond"],
  pyramid_kv: ["purple", "diamond", true],
  tova: ["wine", "down"],
  l2_compress: ["wine", "down", true],
  keydiff: ["sand", "right"],
  fix_size_l2: ["olive", "star"],
  adaptive_l2: ["teal", "left"],
  recent_only: ["rose", "cross"],
};

/** Solid, dashed, dotted, dash-dotted. */
const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
/** Darkest and lightest shade of a method's colour, as shares of the way to black and white: light lines are lost. */
const TONES = { dark: -0.4, light: 0.15 };

/** A configuration, by its name and its method's. */
export interface Named {
  name: string;
  method: string;
}

/**
 * Gives the series of a run their looks, by method: the same in every picture of the run, and a known method's in every
 * run. Several series of one method share its colour.
 *
 * @param configurations All configurations of the run, in the order of the table.
 * @returns For each configuration the look of its series: configurations that differ in size alone have the same.
 *
 * @example
 * ```ts
 * import { seriesLooks } from "./method_looks.ts";
 *
 * const looks = seriesLooks([
 *   { name: "tova_64", method: "tova" }, { name: "tova_128", method: "tova" }, { name: "mine", method: "mine" },
 * ]);
 * console.log(looks.map(({ color }) => color)); // [ "#882255", "#882255", "#117733" ]
 * ```
 */
export function seriesLooks(configurations: readonly Named[]): Look[] {
  const methods = [...new Set(configurations.map(({ method }) => method))];
  const used = new Set(methods.flatMap((method) => KNOWN[method]?.[0] ?? []));
  const colors = Object.keys(METHOD_COLORS) as Color[];
  const free = colors.filter((color) => !used.has(color));
  const shapes = Object.keys(MARKERS) as (keyof typeof MARKERS)[];
  // The circle is the full cache's.
  const taken = new Set(["circle", ...methods.flatMap((method) => KNOWN[method]?.[1] ?? [])]);
  const freeShapes = shapes.filter((shape) => !taken.has(shape));
  const own = methods.filter((method) => method !== "baseline" && KNOWN[method] === undefined);
  const names = Map.groupBy(configurations, ({ method }) => method);
  return configurations.map(({ name, method }): Look => {
    if (method === "baseline") {
      return { color: FULL_CACHE_COLOR, dash: [], marker: { ...MARKERS.circle, hollow: false } };
    }
    const place = own.indexOf(method);
    const shaped = freeShapes.length > 0 ? freeShapes : shapes;
    const colored = free.length > 0 ? free : colors;
    const [color, marker, hollow = false] = KNOWN[method] ??
      [colored[place % colored.length]!, shaped[place % shaped.length]!, undefined];
    const series = [...new Set(names.get(method)!.map((one) => seriesOf(one.name).series))];
    const at = series.indexOf(seriesOf(name).series);
    const shape = shapes[(shapes.indexOf(marker) + at) % shapes.length]!;
    return {
      color: METHOD_COLORS[color],
      dash: DASHES[(at + (hollow ? 1 : 0)) % DASHES.length]!,
      marker: { ...MARKERS[shape], hollow },
    };
  });
}

/**
 * Gives every configuration of a run a line of its own: in its method's colour, from dark to light, with dashes in
 * cycles of four.
 *
 * @param configurations All configurations of the run, in the order of the table.
 * @returns A look for each; a method's only configuration has the method's very colour.
 *
 * @example
 * ```ts
 * import { lineLooks } from "./method_looks.ts";
 *
 * const [first, second] = lineLooks([{ name: "tova_64", method: "tova" }, { name: "tova_128", method: "tova" }]);
 * console.log(first?.color !== second?.color, second?.dash); // true [ 7, 4 ]
 * ```
 */
export function lineLooks(configurations: readonly Named[]): Look[] {
  const peers = Map.groupBy(configurations.keys(), (index) => configurations[index]!.method);
  return seriesLooks(configurations).map((look, index) => {
    const group = peers.get(configurations[index]!.method)!;
    if (group.length === 1) return { ...look, dash: [] };
    const place = group.indexOf(index);
    const tone = TONES.dark + (TONES.light - TONES.dark) * place / (group.length - 1);
    return { ...look, color: tinted(look.color, tone), dash: DASHES[place % DASHES.length]! };
  });
}
