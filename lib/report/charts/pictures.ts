/** A picture of a run: bars of every figure, perplexity along the text, or what every traced configuration held. */
export type Picture = "comparison" | "nll" | "traces";

/** The pictures of a run, and their file names in its folder. */
export const PICTURES = {
  /** Bars: every configuration's speed, quality and memory. */
  comparison: "benchmark_comparison.png",
  /** Lines: perplexity along the text. */
  nll: "perplexity_along_text.png",
  /** Maps: what every configuration with a trace held. One for each trace, with the trace's name. */
  traces: "trace_*.png",
} as const satisfies Record<Picture, string>;
