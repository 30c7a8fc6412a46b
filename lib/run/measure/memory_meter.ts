import type { KvCache } from "../../cache/kv_cache.ts";
import type { VramSampler } from "../../nvml/sampler.ts";
import type { Session } from "../../ort/session.ts";
import type { MemoryPhase, PhaseMemory } from "../../report/results/memory_types.ts";
import type { Engine } from "../../engine/engine.ts";
import { type SpeedLengths, speedPasses } from "./speed_passes.ts";

/** Records a process's memory by phase. Everything is read between phases, outside of the timed part. */
export class MemoryMeter {
  readonly #vram: VramSampler | undefined;
  /** Memory of the process by NVML before the model was loaded; null without NVML. */
  readonly before: number | null;
  #engine: Engine | undefined;
  /** ORT's MaxInUse so far, and its value for the phases that raised it: equal passes take as much again. */
  #most = 0;
  readonly #peaks = new Map<MemoryPhase, number>();
  /** Bytes allocated for K and V when the phase began: the staging block is freed within "decode". */
  #allocated = 0;

  /** Records what is in use now, before the model is loaded. */
  constructor(vram: VramSampler | undefined) {
    this.#vram = vram;
    this.before = vram?.currentBytes ?? null;
  }

  /** Begins a phase: peaks count from here. */
  begin(cache?: KvCache): void {
    cache?.takeMostBytes();
    this.#allocated = cache?.bytesNow ?? 0;
    this.#most = this.#engine ? inAll(this.#engine.sessions, "MaxInUse") ?? 0 : 0; // an earlier phase raised it
    this.#vram?.resetPeak();
  }

  /**
   * Ends the phase "load" and runs one step of the coming speed pass, to find out how much of ORT's allocator it uses:
   * later a prompt's passes hide that.
   */
  loaded(engine: Engine, lengths: SpeedLengths): PhaseMemory {
    this.#engine = engine;
    const load = this.end("load");
    using sequence = engine.sequence(speedPasses(lengths), 0);
    sequence.forward([0], 0);
    sequence.read();
    this.#raise("decode");
    return load;
  }

  /** Ends a phase. */
  end(phase: MemoryPhase, cache?: KvCache): PhaseMemory {
    const { sessions, eviction, weights, runtime: { device } } = this.#engine!;
    const process = {
      peak: this.#overBefore(this.#vram?.peakBytes),
      end: this.#overBefore(this.#vram?.currentBytes),
    };
    this.#raise(phase);
    const allocated = cache?.bytesNow ?? 0;
    return {
      kv_held: { peak: cache?.takeMostBytes() ?? 0, end: cache?.heldBytes ?? 0 },
      kv_allocated: { peak: Math.max(this.#allocated, allocated), end: allocated },
      weights: weights?.bytes ?? null,
      allocator: { peak: this.#peaks.get(phase) ?? null, end: inAll(sessions, "InUse") },
      allocator_reserved: inAll([...sessions, ...eviction.sessions], "TotalAllocated"),
      buffers: device.allocated - (weights?.bytes ?? 0),
      process,
      host_rss: Deno.memoryUsage().rss,
    };
  }

  /** If ORT's allocator has more in use than ever before, records that as the phase's peak. */
  #raise(phase: MemoryPhase): void {
    const most = inAll(this.#engine!.sessions, "MaxInUse") ?? 0;
    if (most > this.#most) this.#peaks.set(phase, this.#most = most);
  }

  #overBefore(bytes: number | null | undefined): number | null {
    return bytes === null || bytes === undefined || this.before === null ? null : Math.max(0, bytes - this.before);
  }
}

/** Sum over sessions of a figure of ORT's allocators, bytes; null if a session lacks it. */
function inAll(sessions: readonly Session[], figure: string): number | null {
  return sessions.reduce<number | null>((sum, session) => {
    const bytes = session.allocatorStats()[figure];
    return sum === null || bytes === undefined ? null : sum + bytes;
  }, 0);
}
