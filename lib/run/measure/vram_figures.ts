import type { VramSampler } from "../../nvml/sampler.ts";
import type { RawResult } from "../../report/results/types.ts";

/** Peak GPU memory of a sample: bytes as SPEC's figure is made of, and the figure itself. */
export interface VramFigures {
  /** Over what was there before the model was loaded, bytes; null where it was not measured. */
  readonly peak: number | null;
  /** What a raw result says of it. */
  readonly result: Pick<RawResult, "peak_vram_gb" | "vram_method">;
}

/**
 * A sample's peak of GPU memory. Without a GPU it is 0; where NVML gave no figure, or stopped giving them while the sample
 * ran, it is null: the peak may have come after the last one.
 *
 * @param sampler What measures; undefined on a CPU.
 * @param peaks The peak of each phase that counts, bytes.
 * @returns The peak, and how it was measured.
 */
export function vramFigures(
  sampler: Pick<VramSampler, "method"> | undefined,
  peaks: readonly (number | null)[],
): VramFigures {
  if (sampler === undefined) return { peak: null, result: { peak_vram_gb: 0 } };
  const known = peaks.filter((peak) => peak !== null);
  const method = known.length < peaks.length ? "unavailable" : sampler.method;
  const peak = method === "unavailable" ? null : Math.max(...known);
  return { peak, result: { peak_vram_gb: peak === null ? null : peak / 2 ** 30, vram_method: method } };
}
