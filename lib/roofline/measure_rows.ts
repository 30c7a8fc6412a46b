import type { Engine } from "../engine/engine.ts";
import type { Sequence } from "../engine/sequence.ts";
import { loadEngine } from "../engine/load_engine.ts";
import { modelCost } from "./floor.ts";
import { lastPosition, rowPasses, stepsOf } from "./row_passes.ts";
import type { Lengths, RooflineEvent, RowRequest, RowsRequest } from "./protocol.ts";
import { type TimedRuntime, timedRuntime } from "./timed_runtime.ts";

/** Measures a method's rows and reports each as soon as it is measured. A failed row does not stop the later ones. */
export async function measureRows(request: RowsRequest, emit: (event: RooflineEvent) => void): Promise<void> {
  let before = 0;
  await using loaded = await loadEngine<TimedRuntime>({
    model: request.model,
    device: request.device,
    options: {
      dtype: request.dtype,
      attention: request.attention,
      kernels: request.kernels,
      maxPositions: Math.max(...request.rows.map((row) => lastPosition(row, request.lengths))),
      table: request.table,
      score: request.score,
      attentionUse: request.attentionUse,
    },
    watchMemory: true,
    wrap: timedRuntime,
    onReady: (vram) => before = vram?.currentBytes ?? 0,
  });
  const { engine, runtime, vram, engine: { model } } = loaded;
  for (const row of request.rows) {
    try {
      vram?.resetPeak();
      const ids = prompt(Math.max(row.length, row.fill), model.spec.vocab);
      const ttft: number[] = [];
      for (let i = 0; row.prefills > 0 && i <= row.prefills; i++) {
        ttft.push(prefill(engine, ids.slice(0, row.length)));
      }
      const { allocated, ...steps } = decode(engine, runtime, row, request.lengths, ids.slice(0, row.fill));
      const peak = vram?.peakBytes ?? null;
      emit({
        type: "row",
        row: {
          length: row.length,
          ...engine.kernels,
          ...steps,
          ttft_s: ttft.slice(1), // the first loads kernels and sizes the arena
          vram: peak === null ? null : {
            before,
            peak: Math.max(0, peak - before),
            allocator_peak: engine.sessions.reduce((sum, each) => sum + (each.allocatorStats().MaxInUse ?? 0), 0),
            allocated,
          },
        },
      });
    } catch (error) {
      emit({ type: "row_failed", length: row.length, reason: (error as Error).message.split("\n")[0]! });
    }
  }
}

/** Ids without meaning, the same in every run: times do not depend on them. */
export function prompt(tokens: number, vocab: number): number[] {
  return Array.from({ length: tokens }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0).map((hash) => hash % vocab);
}

/** Time of a prefill with an empty cache, until the first token is on the host, s. */
export function prefill(engine: Engine, ids: readonly number[]): number {
  using sequence = engine.sequence([{ tokens: ids.length, times: 1 }], 0);
  engine.runtime.device.synchronize();
  const start = performance.now();
  sequence.forward(ids, 0);
  sequence.read();
  return (performance.now() - start) / 1000;
}

/** Fills the cache and times steps. */
function decode(engine: Engine, runtime: TimedRuntime, row: RowRequest, lengths: Lengths, ids: readonly number[]) {
  const { model: { spec }, options: { dtype } } = engine;
  const { entryBytes } = modelCost(spec, dtype);
  using sequence = engine.sequence(rowPasses(row, stepsOf(lengths)), 0);
  if (row.fill > 0) {
    sequence.forward(ids, 0);
    sequence.read();
    sequence.evict();
  }
  // Counting a step's entry out again gives it back: the next step overwrites it.
  const rewind = row.rewind ? () => void sequence.cache.held.fill(row.length) : () => {};
  const step = () => {
    rewind();
    sequence.advance(0);
    sequence.evict();
  };
  for (let i = 0; i < lengths.warmup; i++) {
    step();
    sequence.read();
  }
  const step_s: number[] = [], queue_s: number[] = [], run_s: number[] = [];
  let held = 0, read = 0;
  // As in the main benchmark, each step is queued while the one before it runs, and its time is from one token on the
  // host to the next.
  step();
  let pending = sequence.queueRead();
  const copiedBefore = sequence.cache.copied;
  let before = performance.now();
  for (let i = 0; i < lengths.steps; i++) {
    rewind();
    sequence.cache.held.forEach((entries, layer) => {
      held += entries;
      read += Math.min(entries, spec.window?.(layer) ?? Infinity);
    });
    runtime.takeRunTime();
    const start = performance.now();
    step();
    queue_s.push((performance.now() - start) / 1000);
    run_s.push(runtime.takeRunTime());
    const queued = sequence.queueRead();
    pending();
    const end = performance.now();
    step_s.push((end - before) / 1000);
    before = end;
    pending = queued;
  }
  pending();
  const entries_copied = sequence.cache.copied - copiedBefore;
  const queued_step_s = engine.runtime.device.kind === "cuda" ? queuedSteps(engine, sequence, lengths, step) : [];
  return {
    step_s,
    queue_s,
    run_s,
    queued_step_s,
    kv_held: held / lengths.steps * entryBytes,
    kv_read: read / lengths.steps * entryBytes,
    kv_allocated: sequence.cache.bytes,
    entries_copied,
    allocated: engine.runtime.device.allocated,
  };
}

/** Time of a step if the device always has the next one queued: the host's part then overlaps with it. */
function queuedSteps(
  { runtime: { device } }: Engine,
  sequence: Sequence,
  { batches, queued }: Lengths,
  step: () => void,
): number[] {
  const times: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    device.synchronize();
    const start = performance.now();
    for (let i = 0; i < queued; i++) step();
    sequence.read();
    times.push((performance.now() - start) / 1000 / queued);
  }
  return times;
}
