/**
 * Readers of memory_types.ts.
 *
 * @module
 */
import { type JsonReader, nullable, number, object, oneOf, optional } from "./json_reader.ts";
import type { MemoryFigures, PhaseMemory } from "./memory_types.ts";

const levels = object({ peak: number, end: number });
const levelsOrNull = object({ peak: nullable(number), end: nullable(number) });

const phase: JsonReader<PhaseMemory> = object<PhaseMemory>({
  kv_held: levels,
  kv_allocated: levels,
  weights: optional(nullable(number)),
  allocator: levelsOrNull,
  allocator_reserved: nullable(number),
  buffers: number,
  process: levelsOrNull,
  host_rss: number,
});

/** Reads what a figure of GPU memory covers. */
export const vramMethod = oneOf("process", "device", "unavailable");

/** Reads the memory of a configuration. */
export const memoryFigures: JsonReader<MemoryFigures> = object<MemoryFigures>({
  kv_held: number,
  kv_allocated: number,
  weights: number,
  allocator_peak: nullable(number),
  process_peak: nullable(number),
  process_before: nullable(number),
  phases: optional(object({ load: phase, prefill: phase, decode: phase })),
});
