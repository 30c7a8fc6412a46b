import type { KvCache } from "../../cache/kv_cache.ts";
import type { VramSampler } from "../../nvml/sampler.ts";
import type { Session } from "../../ort/session.ts";
import type { MemoryPhase, PhaseMemory } from "../../report/results/memory_types.ts";
import type { Engine } from "../../engine/engine.ts";
import { type SpeedLengths, speedPasses } from "./speed_passes.ts";

/** Where a process's memory goes, phase by phase. All of it is read between phases, outside of what is timed. */
export class MemoryMeter {
  readonly #vram: VramSampler | undefined;
  /** By NVML before the model was loaded; null without. */
  readonly before: number | null;
  #engine: Engine | undefined;
  /** ORT's MaxInUse so far, and what it was for the phases that raised it: the same passes take the same again. */
  #most = 0;
  readonly #peaks = new Map<MemoryPhase, number>();
  /** Allocated for K and V when the phase began: memory that is a prompt's alone goes within "decode". */
  #allocated = 0;

  /** Takes what is in use now for what there was before the model. */
  constructor(vram: VramSampler | undefined) {
    this.#vram = vram;
    this.before = vram?.currentBytes ?? null;
  }

  /** Begins a phase: peaks count from here. */
  begin(cache?: KvCache): void {
    cache?.takeMostBytes();
    this.#allocated = cache?.bytesNow ?? 0;
    this.#most = this.#engine ? inAll(this.#engine.sessions, "MaxInUse") ?? 0 : 0; // whatever raised it was another phase
    this.#vram?.resetPeak();
  }

  /**
   * Ends the phase "load", and runs one step of the speed pass that is to come, to find out what that takes of ORT's
   * allocator: later a prompt's passes hide it.
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

  /** Looks whether ORT's allocator had more in use than ever before: then that is the phase's peak. */
  #raise(phase: MemoryPhase): void {
    const most = inAll(this.#engine!.sessions, "MaxInUse") ?? 0;
    if (most > this.#most) this.#peaks.set(phase, this.#most = most);
  }

  #overBefore(bytes: number | null | undefined): number | null {
    return bytes === null || bytes === undefined || this.before === null ? null : Math.max(0, bytes - this.before);
  }
}

/** A figure of ORT's allocators, summed up over sessions, bytes; null where one has it not. */
function inAll(sessions: readonly Session[], figure: string): number | null {
  return sessions.reduce<number | null>((sum, session) => {
    const bytes = session.allocatorStats()[figure];
    return sum === null || bytes === undefined ? null : sum + bytes;
  }, 0);
}
