/** Memory of one configuration, bytes. Unavailable figures are null: on a CPU, those of NVML. */
export interface MemoryFigures {
  /** Theoretical bytes of the K and V entries held at the end of the speed pass. */
  kv_held: number;
  /** Bytes allocated for K and V during decode. */
  kv_allocated: number;
  /** Bytes of the model's weights as stored. */
  weights: number;
  /** Peak use of ORT's allocator in the speed pass, including weights allocated there (AllocatorGetStats MaxInUse). */
  allocator_peak: number | null;
  /** Peak of this process by NVML, over `process_before`. */
  process_peak: number | null;
  /** This process by NVML before the model was loaded (CUDA context and libraries). */
  process_before: number | null;
  /** The same by phase; not in results of earlier versions. */
  phases?: Record<MemoryPhase, PhaseMemory>;
}

/**
 * "load": until the model is loaded. "prefill": making the cache and reading the prompt, until the first token is
 * known. "decode": everything after that, beginning with the eviction after the prompt's last pass.
 */
export type MemoryPhase = "load" | "prefill" | "decode";

/** Memory in one phase, bytes: the peak within it, and the level at its end. */
export interface PhaseMemory {
  /** Theoretical: K and V of the entries held, including those that a pass has brought until it evicts. */
  kv_held: MemoryLevels<number>;
  /** Allocated for K and V. */
  kv_allocated: MemoryLevels<number>;
  /** Allocated for the weights in one block; null if ORT holds them. Not in results of earlier versions. */
  weights?: number | null;
  /**
   * In use of the decoder's ORT allocator: working memory of passes, and weights outside of the block, such as
   * converted ones. The counter cannot be reset, so the peak of a phase is null if an earlier phase's was higher.
   */
  allocator: MemoryLevels<number | null>;
  /** Device memory reserved by ORT's allocators at the end, including those of eviction. They give nothing back. */
  allocator_reserved: number | null;
  /** Allocated by the run in addition to both at the end: K and V, entry state, inputs, outputs. */
  buffers: number;
  /** This process by NVML, over its level before the model was loaded. */
  process: MemoryLevels<number | null>;
  /** Resident memory of the process on the host at the end, including mapped weights. */
  host_rss: number;
}

/** Peak within a phase, and level at its end. */
export interface MemoryLevels<T> {
  /** The peak within the phase. */
  peak: T;
  /** The level at the end of the phase. */
  end: T;
}

/**
 * "process": NVML's figure of the process itself. "device": NVML does not list the process, so the figure is the whole
 * GPU's over its level at the start, including other processes. "unavailable": no figure.
 */
export type VramMethod = "process" | "device" | "unavailable";
