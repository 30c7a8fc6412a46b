/**
 * What the page's own code reads: the content of its `<script type="application/json">`. Only what is drawn, sorted or
 * filtered is in it; everything else is text of the page.
 *
 * @module
 */
import type { Mark } from "../../report/results/spread_types.ts";
import type { FigureName } from "./figures.ts";

/** A figure, and the ends of its interval where they are known: short, because there are thousands. */
export type Packed = readonly [value: number] | readonly [value: number, low: number, high: number];

/** A point's shape, as Chart.js has it. */
export interface PageMarker {
  style: string;
  /** Degrees, clockwise. */
  rotation: number;
  /** Whether only its outline is drawn. */
  hollow: boolean;
}

/** A series' colours, #rrggbb, in the light and the dark page, and its shapes. */
export interface PageLook {
  /** Lines and the inside of points. */
  light: string;
  dark: string;
  /** The rim of points and the text of labels: it stands out from the page. */
  lightRim: string;
  darkRim: string;
  /** Lengths of dashes and gaps, pixels. */
  dash: readonly number[];
  marker: PageMarker;
}

/** One configuration in one run: a row of the table, and a point. */
export interface PageCell {
  /** Its name in the run's table. */
  name: string;
  /** Its name without its size, with its positions where the name lacks them. */
  series: string;
  /** Its size, as its name has it, or its budget; "" if it has none. */
  size: string;
  role: "baseline" | "control" | "method";
  /** Index of its look. */
  look: number;
  /** Index of its group: what shares a group has the same model, text, lengths and hardware. */
  group: number;
  /** Rows with the same number are the same configuration under the same terms, in several runs. */
  line: number;
  /** Whether no run of its line is newer. */
  newest: boolean;
  /** Start of its run, "YYYY-MM-DD hh:mm:ss", in its machine's time zone. */
  time: string;
  /** The first characters of the commit; "" if unknown. */
  commit: string;
  /** Name of the machine; "" if unknown. */
  host: string;
  /** Index of its run's terms, from 0. */
  terms: number;
  marks: readonly Mark[];
  /** Means, in the units of FIGURES; left out where not measured or not finite. */
  figures: Partial<Record<FigureName, number>>;
  /** Changes against the baseline, in percent, of accuracy in percentage points. */
  changes: Partial<Record<FigureName, Packed>>;
  /** Mean KL divergence, nats; perplexity; TPOT, ms. With an interval they are the baseline's times the paired ratio. */
  spreads: { kl?: Packed; ppl?: Packed; tpot?: Packed };
}

/** All of it. */
export interface PageData {
  /** The groups, in the order of the menu: what tells them apart, and what their rows share. */
  groups: readonly { label: string; terms: readonly string[] }[];
  looks: readonly PageLook[];
  /** In the order of the table's rows. */
  cells: readonly PageCell[];
}
