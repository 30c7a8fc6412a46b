/**
 * The methods written out from their papers: sizes and scores over explicit attention, as the reference for the
 * policies and for the device's results.
 */
import type { Entry, Method, ReferenceCache } from "./cache.ts";

/** Zhang et al. 2023, arXiv:2306.14048: the attention of all queries, accumulated. */
export const h2o = (heavy: number, recent: number): Method => ({
  keep: ({ entries }) => entries > heavy + recent ? { sink: 0, heavy, recent } : "all",
  attention: { from: "all", accumulate: true },
  score: (middle, cache) => middle.map((entry) => sumOfAttention(entry, cache, cache.tokens)),
});

/** Oren et al. 2024, arXiv:2401.06104: the attention of the newest query, mean over all heads. */
export const tova = (size: number): Method => ({
  keep: ({ entries }) => entries > size ? { sink: 0, heavy: size, recent: 0 } : "all",
  attention: { from: "last", window: 1, share: "layer" },
  score: (middle, cache) => middle.map((entry) => sumOfAttention(entry, cache, 1)),
});

/** Li et al. 2024, arXiv:2404.14469: the attention of the last queries, pooled over neighbours. */
export const snapkv = (
  size: number | ((layer: number, layers: number) => number),
  window: number,
  pooling: "avg" | "max",
  kernel: number,
): Method => ({
  keep: ({ entries, layer, layers }) => {
    const count = typeof size === "number" ? size : size(layer, layers);
    return entries > count ? { sink: 0, heavy: count - window, recent: window } : "all";
  },
  attention: { from: "last", window },
  score: (middle, cache) => {
    const votes = middle.map((entry) => sumOfAttention(entry, cache, window));
    if (votes.length < kernel) return votes;
    return votes.map((_, i) => {
      const around = Array.from({ length: kernel }, (_, j) => votes[i + j - (kernel - 1) / 2]);
      return pooling === "avg"
        ? around.reduce<number>((sum, vote) => sum + (vote ?? 0), 0) / kernel
        : Math.max(...around.map((vote) => vote ?? -Infinity));
    });
  },
});

/**
 * Cai et al. 2024, arXiv:2406.02069: SnapKV whose budgets without the window fall along a line, from twice the mean less
 * a share to that share, 1 / beta of the mean. Entries are whole: one at a time goes to the layer furthest below the
 * line, the first of equals, until the layers have `size` on average.
 */
export const pyramidSnapkv = (size: number, window: number, kernel: number, beta: number): Method =>
  snapkv(
    (layer, layers) => {
      const least = Math.trunc((size - window) / beta);
      const most = 2 * (size - window) - least;
      const line = Array.from({ length: layers }, (_, i) => most - i * (most - least) / (layers - 1));
      const whole = line.map((value) => Math.floor(value + 1e-9));
      while (whole.reduce((a, b) => a + b) < layers * (size - window)) {
        const below = line.map((value, i) => value - whole[i]!);
        whole[below.findIndex((gap) => gap > Math.max(...below) - 1e-9)]!++;
      }
      return window + whole[layer]!;
    },
    window,
    "avg",
    kernel,
  );

/** Park et al. 2025, arXiv:2504.15364: keys least like the mean of all directions. */
export const keydiff = (size: number, recent: number): Method => ({
  keep: ({ entries }) => entries > size ? { sink: 0, heavy: size - recent, recent } : "all",
  score: (middle) => {
    const directions = middle.map(({ key }) => {
      const length = norm(key);
      return Array.from(key, (x) => x / length);
    });
    const mean = directions[0]!.map((_, j) => directions.reduce((sum, d) => sum + d[j]!, 0) / directions.length);
    return directions.map((d) => -d.reduce((sum, x, j) => sum + x * mean[j]!, 0) / norm(mean));
  },
});

/** Devoto et al. 2024, arXiv:2406.11430: keys of the lowest norm, in addition to sinks and the last ones. */
export const lowestNorms = (sink: number, heavy: number, recent: number): Method => ({
  keep: ({ entries }) => entries > sink + heavy + recent ? { sink, heavy, recent } : "all",
  score: (middle) => middle.map(({ key }) => -norm(key)),
});

/** No choice at all: as many at random. */
export const byLot = (size: number, recent: number): Method => ({
  keep: ({ entries }) => entries > size ? { sink: 0, heavy: size - recent, recent } : "all",
  score: { op: "feature", name: "random" },
});

/** Xiao et al. 2024, arXiv:2309.17453. */
export const sinksAndRecent = (sink: number, recent: number): Method => ({
  keep: ({ entries }) => entries > sink + recent ? { sink, heavy: 0, recent } : "all",
});

/** Returns the attention of the text's last `window` queries to an entry. */
function sumOfAttention({ seen }: Entry, { tokens }: ReferenceCache, window: number): number {
  let sum = 0;
  for (let query = tokens - window; query < tokens; query++) sum += seen.get(query) ?? 0;
  return sum;
}

const norm = (vector: ArrayLike<number>) => Math.sqrt(Array.from(vector).reduce((sum, x) => sum + x * x, 0));
