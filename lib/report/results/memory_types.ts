/** Memory of one configuration, bytes. What cannot be had is null: on a CPU, what NVML tells. */
export interface MemoryFigures {
  /** Theoretical bytes of the K and V entries held at the end of the speed pass. */
  kv_held: number;
  /** Bytes allocated for K and V during decode. */
  kv_allocated: number;
  /** Bytes of the model's weights as stored. */
  weights: number;
  /** The most that ORT's allocator had in use in the speed pass, with those weights that it has (AllocatorGetStats MaxInUse). */
  allocator_peak: number | null;
  /** Peak of this process by NVML over `process_before`. */
  process_peak: number | null;
  /** This process by NVML before the model was loaded (CUDA context and libraries). */
  process_before: number | null;
  /** The same told apart by phase; not in results of earlier versions. */
  phases?: Record<MemoryPhase, PhaseMemory>;
}

/**
 * "load": until the model is there. "prefill": the cache is made and the prompt read, until the first token is there.
 * "decode": all that follows, the eviction after the prompt's last pass first.
 */
export type MemoryPhase = "load" | "prefill" | "decode";

/** Memory in one phase, bytes: the most within it, and what there is at its end. */
export interface PhaseMemory {
  /** By theory: K and V of the entries there are, those that a pass has brought included until it evicts. */
  kv_held: MemoryLevels<number>;
  /** Allocated for K and V. */
  kv_allocated: MemoryLevels<number>;
  /** Allocated for the weights in one block; null where ORT has them. Not in results of earlier versions. */
  weights?: number | null;
  /**
   * In use of the decoder's ORT allocator: what a pass computes with, and weights that are in no block, as converted ones.
   * The counter cannot be set back, so the peak of a phase is null where an earlier one's was higher.
   */
  allocator: MemoryLevels<number | null>;
  /** What ORT's allocators have taken of the device at its end, those of eviction included. They give nothing back. */
  allocator_reserved: number | null;
  /** What the run has allocated beside both at its end: K and V, what is kept of entries, inputs, outputs. */
  buffers: number;
  /** This process by NVML, over what it had before the model was loaded. */
  process: MemoryLevels<number | null>;
  /** The process's resident memory on the host at its end, mapped weights included. */
  host_rss: number;
}

/** The most within a phase, and the level at its end. */
export interface MemoryLevels<T> {
  /** The most within the phase. */
  peak: T;
  /** What there is when the phase ends. */
  end: T;
}
