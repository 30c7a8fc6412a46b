/** Kinds of configurations that charts distinguish. */
export type Kind = "baseline" | "streaming" | "recent_only" | "other";

/** Colours of everything except data. Restrained: figures should stand out. */
export const INK = {
  text: "#1f2937",
  muted: "#6b7280",
  grid: "#e5e7eb",
  axis: "#9ca3af",
  errorBar: "#374151",
  failed: "#9f1239",
  background: "#ffffff",
} as const;

/**
 * The bars' colours: gray, green, red, and blue for every other method. The green is light and the red dark: who cannot
 * tell the hues apart sees the lightness.
 */
export const KIND_COLORS: Readonly<Record<Kind, string>> = {
  baseline: "#8b929c",
  streaming: "#63c38c",
  recent_only: "#a83232",
  other: "#3b76c4",
};

/** Names of the kinds in legends. */
export const KIND_LABELS: Readonly<Record<Kind, string>> = {
  baseline: "baseline",
  streaming: "streaming",
  recent_only: "recent only",
  other: "other methods",
};

/**
 * Returns the kind of a configuration, by its name.
 *
 * @param name Name in the table; it may end in `@` and how positions are numbered.
 * @returns The kind, which gives the colour.
 *
 * @example
 * ```ts
 * import { kindOf } from "./palette.ts";
 *
 * console.log(kindOf("streaming_256@cache"), kindOf("snapkv_512_obs32")); // "streaming" "other"
 * ```
 */
export function kindOf(name: string): Kind {
  if (name === "baseline" || name.startsWith("baseline@")) return "baseline";
  if (name.startsWith("streaming_")) return "streaming";
  if (name.startsWith("recent_only_")) return "recent_only";
  return "other";
}

/**
 * Makes a colour lighter or darker.
 *
 * @param color #rrggbb
 * @param tone 0 for the colour itself, up to 1 for white, down to -1 for black.
 * @returns #rrggbb
 *
 * @example
 * ```ts
 * import { tinted } from "./palette.ts";
 *
 * console.log(tinted("#804020", 0.5)); // "#c0a090"
 * ```
 */
export function tinted(color: string, tone: number): string {
  return mixed(color, tone > 0 ? "#ffffff" : "#000000", Math.abs(tone));
}

/** Mixes two colours: `share` of the second. */
function mixed(first: string, second: string, share: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [from, to] = [first, second].map((color) => Number.parseInt(color.slice(at, at + 2), 16)) as [number, number];
    return Math.round(from + (to - from) * share).toString(16).padStart(2, "0");
  });
  return `#${channels.join("")}`;
}

/** Colour of a heatmap's cell that no head holds. */
export const HEAT_NONE = "#eceef2";
/**
 * Colours from the least share above none to all. Lightness falls evenly: it works in gray and for any colour vision.
 */
const HEAT_STOPS = ["#a2da5e", "#40bd72", "#21918c", "#31688e", "#443983", "#440154"] as const;

/**
 * Returns a heatmap's colour. It jumps between none and the least share: a single held position among thousands must be
 * visible. It scales with the square root of the share: little of a long text is held, so small shares must be
 * distinguishable.
 *
 * @param share 0..1.
 * @returns #rrggbb
 *
 * @example
 * ```ts
 * import { heatColor } from "./palette.ts";
 *
 * console.log(heatColor(0), heatColor(0.001), heatColor(1)); // "#eceef2" "#93d561" "#440154"
 * ```
 */
export function heatColor(share: number): string {
  if (!(share > 0)) return HEAT_NONE;
  const place = Math.sqrt(Math.min(1, share)) * (HEAT_STOPS.length - 1);
  const stop = Math.min(Math.floor(place), HEAT_STOPS.length - 2);
  return mixed(HEAT_STOPS[stop]!, HEAT_STOPS[stop + 1]!, place - stop);
}
