/**
 * A picture of a run: bars of every figure, of methods or of number types; quality over the size of the cache, the frontier of speed and quality,
 * perplexity along the text, or what every traced configuration held; or of a speculative run, the speed-up over the context.
 */
export type Picture = "comparison" | "precision" | "budget" | "frontier" | "nll" | "traces" | "speedup";

/** The pictures of a run, and their file names in its folder. Each has an SVG file of the same name. */
export const PICTURES = {
  /** Bars: every configuration's speed, quality and memory. */
  comparison: "benchmark_comparison.png",
  /** Bars: the same of number types, in place of the comparison. */
  precision: "precision_benchmark_2rows.png",
  /** Lines: divergence and perplexity over the share of the cache held. */
  budget: "quality_over_budget.png",
  /** Points: time per token over divergence or perplexity. */
  frontier: "frontier.png",
  /** Lines: perplexity along the text. */
  nll: "perplexity_along_text.png",
  /** Maps: what every configuration with a trace held. One for each trace, with the trace's name. */
  traces: "trace_*.png",
  /** Lines: speed-up of speculative decoding over the context's length. */
  speedup: "speedup_over_context.png",
} as const satisfies Record<Picture, string>;
