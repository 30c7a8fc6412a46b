import { movingMean } from "./moving_mean.ts";

/** Tokens in the mean of each point: enough to see a trend, few enough to see where a cache fills. */
const WINDOW = 64;
/** Share of a long text in the mean of each point: with less, noise makes the line thick. */
const WINDOW_SHARE = 0.01;
/** Most points of a line, and of all lines together; more cannot be seen, and make SVG files large. */
const MOST_POINTS = { line: 1500, all: 30_000 };
/** One configuration's line, by position in the text, tokens. */
export interface NllLine {
  name: string;
  /** Tokens in the mean of each point. */
  window: number;
  points: { x: number; y: number }[];
}

/**
 * Computes the perplexity along the text, smoothed: exp of the moving mean of the quality pass's NLL, averaged over the
 * samples.
 *
 * @param results Configurations in order, and the raw results with their NLL.
 * @param window Tokens in the mean of each point, by default 64 or a hundredth of the text; a text too short for it
 * gets a quarter of its length.
 * @returns One line for each configuration with figures.
 *
 * @example
 * ```ts
 * import { nllLines } from "./nll_lines.ts";
 *
 * const raw_results = [{ method: "baseline", nll: [Math.log(4), Math.log(4), Math.log(4), Math.log(4)] }];
 * console.log(nllLines({ configurations: [{ name: "baseline" }], raw_results }, 2)[0]?.points.length); // 4
 * ```
 */
export function nllLines(results: NllResults, window?: number): NllLine[] {
  return linesOf(results, (name) => samplesOf(results, name).map(({ nll }) => nll), Math.exp, window);
}

/**
 * Computes how far each configuration is from the full cache along the text, smoothed: the moving mean of its NLL less
 * that of the full cache on the same tokens, averaged over the samples.
 *
 * @param results Configurations in order, and the raw results with their NLL.
 * @param full Name of the configuration with the full cache.
 * @param window As for {@linkcode nllLines}.
 * @returns One line for each other configuration with samples in common with it, nats.
 *
 * @example
 * ```ts
 * import { nllDifferences } from "./nll_lines.ts";
 *
 * const configurations = [{ name: "baseline" }, { name: "tova_64" }];
 * const raw_results = [{ method: "baseline", nll: [3, 1] }, { method: "tova_64", nll: [3.5, 2] }];
 * console.log(nllDifferences({ configurations, raw_results }, "baseline", 1)[0]?.points.map(({ y }) => y)); // [ 0.5, 1 ]
 * ```
 */
export function nllDifferences(results: NllResults, full: string, window?: number): NllLine[] {
  const reference = new Map(samplesOf(results, full).map(({ sample, nll }) => [sample, nll]));
  const differences = (name: string) =>
    name === full ? [] : samplesOf(results, name).flatMap(({ sample, nll }) => {
      const other = reference.get(sample);
      return other === undefined ? [] : [nll.slice(0, other.length).map((value, position) => value - other[position]!)];
    });
  return linesOf(results, differences, (mean) => mean, window);
}

/** Fields of results.json that lines are made of. Samples without an index are counted. */
export interface NllResults {
  configurations: readonly { name: string }[];
  raw_results: readonly { method: string; sample?: number; nll: readonly number[] }[];
}

function samplesOf({ raw_results }: NllResults, name: string): { sample: number; nll: readonly number[] }[] {
  return raw_results.filter(({ method, nll }) => method === name && nll.length > 0)
    .map(({ sample, nll }, index) => ({ sample: sample ?? index, nll }));
}

/** Smooths each configuration's series, averaged over its samples. */
function linesOf(
  { configurations }: NllResults,
  seriesOf: (name: string) => readonly (readonly number[])[],
  convert: (mean: number) => number,
  window: number | undefined,
): NllLine[] {
  const most = Math.max(300, Math.min(MOST_POINTS.line, Math.floor(MOST_POINTS.all / configurations.length)));
  return configurations.flatMap(({ name }) => {
    const samples = seriesOf(name);
    if (samples.length === 0) return [];
    // Stops at the end of the shortest sample: beyond it the mean would jump.
    const length = Math.min(...samples.map((nll) => nll.length));
    const wanted = window ?? Math.max(WINDOW, Math.round(length * WINDOW_SHARE));
    const over = Math.max(1, Math.min(wanted, Math.floor(length / 4)));
    const series = Array.from(
      { length },
      (_, position) => samples.reduce((sum, sample) => sum + sample[position]!, 0) / samples.length,
    );
    const stride = Math.ceil(length / most);
    const points = movingMean(series, over)
      // The first token is read, the second is the first to be predicted.
      .map((mean, index) => ({ x: index + over, y: convert(mean) }))
      .filter((_, index, { length }) => index % stride === 0 || index === length - 1);
    return [{ name, window: over, points }];
  });
}
