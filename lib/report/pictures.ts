/** The pictures of a run, and their names within its folder. */
export const PICTURES = {
  /** Bars: every configuration's speed, quality and memory. */
  comparison: "benchmark_comparison.png",
  /** Lines: perplexity along the text. */
  nll: "perplexity_along_text.png",
} as const;

/** One of them. */
export type Picture = keyof typeof PICTURES;
