import type { VramSampler } from "../../nvml/sampler.ts";
import type { RawResult } from "../../report/results/types.ts";

/** Peak GPU memory of a sample: in bytes, and as the result's `peak_vram_gb`. */
export interface VramFigures {
  /** Peak over what was in use before the model was loaded, bytes; null if it was not measured. */
  readonly peak: number | null;
  /** The fields of the raw result. */
  readonly result: Pick<RawResult, "peak_vram_gb" | "vram_method">;
}

/**
 * Returns a sample's peak of GPU memory. Without a GPU it is 0. If NVML gave no figure, or stopped giving figures while
 * the sample ran, it is null: the peak may have come after the last figure.
 *
 * @param sampler What measures; undefined on a CPU.
 * @param peaks Peak of each phase that counts, bytes.
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
