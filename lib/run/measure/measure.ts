import type { KvCache } from "../../cache/kv_cache.ts";
import { runsOf } from "../../report/results/trace.ts";
import type { TraceSnapshot } from "../../report/results/trace_types.ts";
import type { RawResult } from "../../report/results/types.ts";
import { MemoryMeter } from "./memory_meter.ts";
import { loadEngine } from "../../engine/load_engine.ts";
import type { ChildEvent, MeasureRequest } from "../child/protocol.ts";
import { measureQuality } from "./quality.ts";
import { measureSpeed, type SpeedResult } from "./speed.ts";
import { vramFigures } from "./vram_figures.ts";

/** Tokens that a warm-up run generates, in a cache as large as the measured one: shapes must be the same. */
const WARMUP_TOKENS = 16;
/** Least time between progress events, ms: they must cost nothing. */
const PROGRESS_INTERVAL = 200;

/** Measures one configuration, sample by sample, and reports each sample's result as soon as it is known. */
export async function measure(request: MeasureRequest, emit: (event: ChildEvent) => void): Promise<void> {
  const { samples, promptTokens, maxNewTokens, maxTokens, seed } = request;
  const progress = throttled(emit);
  progress("load", 0, 0, 1);
  const lengths = { promptTokens, newTokens: maxNewTokens, chunk: request.prefillChunk };
  let meter!: MemoryMeter;
  await using loaded = await loadEngine({
    model: request.model,
    device: request.device,
    options: {
      dtype: request.dtype,
      attention: request.attention,
      positions: request.positions,
      kernels: request.kernels,
      maxPositions: Math.max(promptTokens + maxNewTokens, maxTokens),
      table: request.table,
      score: request.score,
      attentionUse: request.attentionUse,
      trace: request.trace !== undefined,
    },
    watchMemory: true,
    onReady: (vram) => {
      if (vram?.reason) emit({ type: "note", message: `Peak VRAM is not measured: ${vram.reason}` });
      meter = new MemoryMeter(vram);
      meter.begin();
    },
  });
  const { engine } = loaded;
  emit({ type: "kernels", ...engine.kernels });
  const load = meter.loaded(engine, lengths);
  for (let i = 0; i < request.warmup; i++) {
    progress("warmup", 0, i, request.warmup);
    const stopAfter = Math.min(WARMUP_TOKENS, maxNewTokens);
    measureSpeed(engine, samples[0]!, lengths, seed, { meter, stopAfter });
  }
  for (const sample of request.wanted) {
    const tokens = samples[sample]!;
    progress("speed", sample, 0, maxNewTokens);
    const speed = measureSpeed(
      engine,
      tokens,
      lengths,
      seed + sample,
      { meter, between: (done) => progress("speed", sample, done, maxNewTokens) },
    );
    const phases = { load, ...speed.memory! };
    const processPeak = vramFigures(loaded.vram, [phases.prefill.process.peak, phases.decode.process.peak]);
    progress("quality", sample, 0, maxTokens);
    const quality = measureQuality(
      engine,
      tokens,
      maxTokens,
      seed + sample,
      (done, perplexity, cache) => {
        progress("quality", sample, done, maxTokens, perplexity);
        if (sample === 0 && isTraced(request, done)) emit({ type: "trace", snapshot: snapshotOf(cache, done) });
      },
      request.trace === undefined || sample > 0,
    );
    const counted = quality.cacheSizes.findIndex((_, layer) => !request.skipLayers.includes(layer));
    const result: RawResult = {
      method: request.name,
      sample,
      ...timings(speed),
      perplexity: quality.perplexity,
      accuracy: quality.accuracy,
      ...processPeak.result,
      // If every layer is skipped, all of them hold the whole text.
      final_cache_size: quality.cacheSizes[Math.max(0, counted)]!,
      layer_cache_sizes: [...quality.cacheSizes],
      step_times_s: [...speed.stepTimes],
      nll: [...quality.nll],
      memory: {
        kv_held: speed.heldBytes,
        kv_allocated: speed.allocatedBytes,
        weights: engine.weightBytes,
        allocator_peak: greatest(phases.prefill.allocator.peak, phases.decode.allocator.peak),
        process_peak: processPeak.peak,
        process_before: meter.before,
        phases,
      },
      entries_copied: { speed: speed.copied, quality: quality.copied },
    };
    emit({ type: "sample", result });
  }
}

/** The greatest figure that is not null; null if all are. */
function greatest(...figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** TTFT, TPOT, throughput and step times of a speed pass. */
function timings({ ttft, stepTimes, tokens }: SpeedResult): Pick<RawResult, "ttft" | "tpot" | "throughput"> {
  const decode = stepTimes.reduce((a, b) => a + b, 0);
  return { ttft, tpot: decode / stepTimes.length, throughput: tokens.length / (ttft + decode) };
}

/** Whether to take a snapshot of the cache after `tokens` tokens. */
function isTraced({ trace, maxTokens }: MeasureRequest, tokens: number): boolean {
  if (trace === undefined) return false;
  return tokens === maxTokens || trace.every !== null && tokens % trace.every === 0;
}

/** Snapshot of what the cache holds after `tokens` tokens, one per step. */
function snapshotOf(cache: KvCache, tokens: number): TraceSnapshot {
  return { step: tokens - 1, tokens, held: cache.heldPositions().map((heads) => heads.map((held) => runsOf(held))) };
}

type Phase = (ChildEvent & { type: "progress" })["phase"];

function throttled(emit: (event: ChildEvent) => void) {
  let next = 0, last: Phase | undefined;
  return (phase: Phase, sample: number, done: number, total: number, perplexity?: number): void => {
    const now = performance.now();
    if (now < next && phase === last && done < total) return;
    next = now + PROGRESS_INTERVAL;
    last = phase;
    emit({ type: "progress", phase, sample, done, total, ...(perplexity === undefined ? {} : { perplexity }) });
  };
}
