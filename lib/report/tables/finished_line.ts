import type { BenchmarkResults } from "../results/types.ts";
import { comparedWith } from "../results/compared_with.ts";
import { signed } from "./interval_text.ts";
import { rowFigures } from "./row_figures.ts";
import { significant } from "./significant.ts";

/**
 * Formats a line about a configuration that has ended: its main figures, as far as they are known by then, or why there
 * are none.
 *
 * @param results Results so far.
 * @param name The configuration's name.
 * @returns One line.
 *
 * @example
 * ```ts
 * import { formatFinished } from "./finished_line.ts";
 * import type { BenchmarkResults } from "../results/types.ts";
 *
 * const print = (results: BenchmarkResults) => console.log(formatFinished(results, "streaming_256"));
 * // streaming_256: TPOT 1.62 ms, PPL 42.18 (+0.1 %), KL 0.0012, holds 40 %
 * ```
 */
export function formatFinished(results: BenchmarkResults, name: string): string {
  const stats = results.aggregated_stats[name];
  if (stats === undefined) {
    const reason = results.failures.find(({ method }) => method === name)?.reason;
    return `${name}: ${reason === undefined ? "no figures" : `failed: ${reason.replaceAll(/\s+/g, " ").trim()}`}`;
  }
  const { tpot, mean_kl, held_share } = rowFigures(results, name);
  const { passes } = results.config;
  const parts = [
    ...(tpot === null || passes === "quality" ? [] : [`TPOT ${significant(tpot * 1000, 3)} ms`]),
    ...(passes === "speed" ? [] : [`PPL ${perplexity(stats.perplexity)}${againstBaseline(results, name)}`]),
    ...(mean_kl === null ? [] : [`KL ${significant(mean_kl, 2)}`]),
    ...(held_share === null ? [] : [`holds ${(held_share * 100).toFixed(0)} %`]),
  ];
  return `${name}: ${parts.join(", ")}`;
}

function perplexity(value: number): string {
  return Number.isNaN(value) ? "nan" : value < 1e6 ? value.toFixed(2) : significant(value, 3);
}

/** The change of perplexity in parentheses, once the baseline is measured. */
function againstBaseline({ aggregated_stats, comparisons, config }: BenchmarkResults, name: string): string {
  const reference = comparedWith(config);
  const [own, baseline] = [aggregated_stats[name]?.perplexity, aggregated_stats[reference]?.perplexity];
  if (name === reference || own === undefined || baseline === undefined) return "";
  const known = comparisons?.[name]?.quality?.ln_ppl_ratio.estimate;
  const ratio = known === undefined ? own / baseline : Math.exp(known);
  return Number.isFinite(ratio) ? ` (${signed((ratio - 1) * 100, 1)} %)` : "";
}
