import type { LoadedEngine } from "../../engine/load_engine.ts";
import type { ChildEvent, MeasureOrder, SpeedPass } from "../child/protocol.ts";
import { ConditionMeter } from "./condition_meter.ts";
import type { MemoryMeter } from "./memory_meter.ts";
import { measureSpeed, type SpeedResult } from "./speed.ts";
import type { Report } from "./throttled_progress.ts";
import { vramFigures } from "./vram_figures.ts";

/** Tokens that a warm-up run generates, in a cache as large as the measured one: shapes must be the same. */
const WARMUP_TOKENS = 16;

/** What the speed passes of a process work with. */
export interface SpeedTools {
  readonly loaded: LoadedEngine;
  /** Has recorded the memory before the model was loaded. */
  readonly meter: MemoryMeter;
  readonly emit: (event: ChildEvent) => void;
  readonly progress: Report;
}

/** Warms up, then measures the speed of each sample asked for. */
export function measureSpeedSamples(order: MeasureOrder, { loaded, meter, emit, progress }: SpeedTools): void {
  const { name, samples, promptTokens, maxNewTokens, seed, warmup } = order;
  const { engine, vram } = loaded;
  const lengths = { promptTokens, newTokens: maxNewTokens, chunk: order.prefillChunk };
  const conditions = new ConditionMeter(vram);
  const load = meter.loaded(engine, lengths);
  for (let i = 0; i < warmup; i++) {
    progress("warmup", 0, i, warmup);
    const stopAfter = Math.min(WARMUP_TOKENS, maxNewTokens);
    measureSpeed(engine, samples[order.wanted[0]!]!, lengths, seed, { meter, stopAfter });
  }
  for (const sample of order.wanted) {
    progress("speed", sample, 0, maxNewTokens);
    const between = (done: number) => progress("speed", sample, done, maxNewTokens);
    conditions.begin();
    const speed = measureSpeed(engine, samples[sample]!, lengths, seed + sample, { meter, between });
    const during = conditions.end();
    between(maxNewTokens); // the last token, too
    const phases = { load, ...speed.memory! };
    const peak = vramFigures(vram, [phases.prefill.process.peak, phases.decode.process.peak]);
    const result: SpeedPass = {
      method: name,
      sample,
      ...timings(speed),
      step_times_s: [...speed.stepTimes],
      conditions: during,
      entries_copied: speed.copied,
      ...(order.tokens ? { tokens: [...speed.tokens] } : {}),
      ...peak.result,
      memory: {
        kv_held: speed.heldBytes,
        kv_allocated: speed.allocatedBytes,
        weights: engine.weightBytes,
        allocator_peak: greatest(phases.prefill.allocator.peak, phases.decode.allocator.peak),
        process_peak: peak.peak,
        process_before: meter.before,
        phases,
      },
    };
    emit({ type: "sample", pass: "speed", result });
  }
}

/** The largest of the known figures; null if none is known. */
function greatest(...figures: (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** TTFT, TPOT, throughput of a speed pass. */
function timings({ ttft, stepTimes, tokens }: SpeedResult): Pick<SpeedPass, "ttft" | "tpot" | "throughput"> {
  const decode = stepTimes.reduce((a, b) => a + b, 0);
  return { ttft, tpot: decode / stepTimes.length, throughput: tokens.length / (ttft + decode) };
}
