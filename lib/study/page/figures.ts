import { significant } from "../../report/tables/significant.ts";

/** A figure of the table and of the history. */
export interface Figure {
  /** Title of its column. */
  readonly title: string;
  /** Unit; "" if it has none. */
  readonly unit: string;
  /** Unit of its change against the baseline; left out if it is not compared. */
  readonly change?: "%" | "pt";
  /** Formats a finite value, without its unit. */
  readonly text: (value: number) => string;
}

const digits = (count: number) => (value: number) => significant(value, count);
const decimals = (count: number) => (value: number) => value < 1e6 ? value.toFixed(count) : value.toExponential(1);

/** The page's figures, in the order of the table. */
export const FIGURES = {
  held: { title: "Held", unit: "%", text: decimals(1) },
  cache: { title: "Cache", unit: "MiB", text: digits(4) },
  vram: { title: "Peak VRAM", unit: "GiB", change: "%", text: decimals(2) },
  ttft: { title: "TTFT", unit: "ms", change: "%", text: digits(4) },
  tpot: { title: "TPOT", unit: "ms", change: "%", text: digits(4) },
  throughput: { title: "Throughput", unit: "tokens/s", change: "%", text: digits(4) },
  perplexity: { title: "Perplexity", unit: "", change: "%", text: decimals(2) },
  accuracy: { title: "Accuracy", unit: "%", change: "pt", text: decimals(2) },
  kl: { title: "KL", unit: "nats", text: digits(3) },
} as const satisfies Record<string, Figure>;

/** Name of a figure. */
export type FigureName = keyof typeof FIGURES;

/** Names of the figures, in the order of the table. */
export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];

/**
 * Returns a figure by its name.
 *
 * @example
 * ```ts
 * import { figureOf } from "./figures.ts";
 *
 * console.log(figureOf("tpot").title, figureOf("tpot").text(4.5)); // TPOT 4.500
 * ```
 */
export function figureOf(name: FigureName): Figure {
  return FIGURES[name];
}

/**
 * Writes a figure's title with its unit.
 *
 * @example
 * ```ts
 * import { titleOf } from "./figures.ts";
 *
 * console.log(titleOf("cache"), "|", titleOf("perplexity")); // Cache (MiB) | Perplexity
 * ```
 */
export function titleOf(name: FigureName): string {
  const { title, unit } = figureOf(name);
  return unit === "" ? title : `${title} (${unit})`;
}
