import type { KvCache } from "../../cache/kv_cache.ts";
import type { LoadedEngine } from "../../engine/load_engine.ts";
import { runsOf } from "../../report/results/trace.ts";
import type { TraceSnapshot } from "../../report/results/trace_types.ts";
import type { QualitySample } from "../../report/results/types.ts";
import type { ChildEvent, MeasureOrder } from "../child/protocol.ts";
import { measureQuality } from "./quality.ts";
import { Reference } from "./reference.ts";
import type { Report } from "./throttled_progress.ts";

/** What the quality passes of a process work with. */
export interface QualityTools {
  readonly loaded: LoadedEngine;
  readonly emit: (event: ChildEvent) => void;
  readonly progress: Report;
}

/** Measures the quality of each sample asked for, and its distance from the full cache if there is a reference. */
export function measureQualitySamples(order: MeasureOrder, { loaded, emit, progress }: QualityTools): void {
  const { name, samples, maxTokens, seed, skipLayers, trace } = order;
  using reference = new Reference(order, loaded);
  for (const sample of order.wanted) {
    progress("quality", sample, 0, maxTokens);
    using watch = reference.watch(sample);
    const quality = measureQuality(
      loaded.engine,
      samples[sample]!,
      maxTokens,
      seed + sample,
      (done, perplexity, cache) => {
        progress("quality", sample, done, maxTokens, perplexity);
        if (sample === 0 && isTraced(order, done)) emit({ type: "trace", snapshot: snapshotOf(cache, done) });
      },
      trace === undefined || sample > 0,
      watch,
    );
    const { divergence, problem } = reference.finish(watch);
    if (problem !== undefined) emit({ type: "note", message: problem });
    const counted = quality.cacheSizes.findIndex((_, layer) => !skipLayers.includes(layer));
    const result: QualitySample = {
      method: name,
      sample,
      perplexity: quality.perplexity,
      accuracy: quality.accuracy,
      nll: [...quality.nll],
      right: quality.predictions.map((token, step) => token === samples[sample]![step + 1] ? 1 : 0),
      // If every layer is skipped, all of them hold the whole text.
      final_cache_size: quality.cacheSizes[Math.max(0, counted)]!,
      layer_cache_sizes: [...quality.cacheSizes],
      ...(divergence ? { divergence } : {}),
      entries_copied: quality.copied,
    };
    emit({ type: "sample", pass: "quality", result });
  }
}

/** Whether to take a snapshot of the cache after `tokens` tokens. */
function isTraced({ trace, maxTokens }: MeasureOrder, tokens: number): boolean {
  if (trace === undefined) return false;
  return tokens === maxTokens || trace.every !== null && tokens % trace.every === 0;
}

/** Snapshot of what the cache holds after `tokens` tokens, one per step. */
function snapshotOf(cache: KvCache, tokens: number): TraceSnapshot {
  return { step: tokens - 1, tokens, held: cache.heldPositions().map((heads) => heads.map((held) => runsOf(held))) };
}
