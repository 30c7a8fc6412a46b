import { mean, median, p95 } from "../report/results/stats.ts";
import type { SpeedRun } from "../report/results/spread_types.ts";
import type { QualitySample, RawResult } from "../report/results/types.ts";

/**
 * Puts together what was measured of one text sample.
 *
 * Times are medians over the sample's speed passes; the steps are those of the pass whose TPOT is the median. VRAM is the
 * most of any pass, and memory that pass's.
 *
 * @param method Name of the configuration.
 * @param sample Index of the sample.
 * @param runs Its speed passes; none if only quality was measured.
 * @param quality Its quality pass; undefined if only speed was measured.
 * @returns The raw result. Figures of a pass that was not made are NaN.
 */
export function composeSample(
  method: string,
  sample: number,
  runs: readonly SpeedRun[],
  quality: QualitySample | undefined,
): RawResult {
  const { perplexity = NaN, accuracy = NaN, final_cache_size = NaN, layer_cache_sizes = [], nll = [] } = quality ?? {};
  const copied = { speed: NaN, quality: quality?.entries_copied ?? NaN };
  const both = {
    perplexity,
    accuracy,
    final_cache_size,
    layer_cache_sizes,
    nll,
    ...(quality?.right ? { right: quality.right } : {}),
    ...(quality?.divergence ? { divergence: quality.divergence } : {}),
  };
  const usual = runs.toSorted((a, b) => a.tpot - b.tpot)[Math.floor((runs.length - 1) / 2)];
  if (usual === undefined) {
    const times = { ttft: NaN, tpot: NaN, throughput: NaN, step_times_s: [], peak_vram_gb: null };
    return { method, sample, ...times, ...both, entries_copied: copied };
  }
  const of = (figure: "ttft" | "tpot" | "throughput") => median(runs.map((run) => run[figure]));
  // The first step has its own figure: it includes the eviction after the prompt.
  const later = runs.flatMap(({ step_times_s }) => step_times_s.slice(1));
  const largest = runs.reduce((a, b) => (b.peak_vram_gb ?? 0) > (a.peak_vram_gb ?? 0) ? b : a);
  return {
    method,
    sample,
    ttft: of("ttft"),
    tpot: of("tpot"),
    throughput: of("throughput"),
    peak_vram_gb: runs.some(({ peak_vram_gb }) => peak_vram_gb === null) ? null : largest.peak_vram_gb,
    ...(largest.vram_method ? { vram_method: largest.vram_method } : {}),
    ...both,
    step_times_s: usual.step_times_s,
    memory: largest.memory,
    entries_copied: { ...copied, speed: mean(runs.map(({ entries_copied }) => entries_copied)) },
    ...(later.length > 0 ? { tpot_median: median(later), tpot_p95: p95(later) } : {}),
    first_step_s: median(runs.map(({ step_times_s }) => step_times_s[0]!)),
  };
}
