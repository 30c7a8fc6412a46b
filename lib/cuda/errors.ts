/**
 * An error the CUDA runtime returned.
 *
 * @example
 * ```ts
 * import { CudaError } from "./errors.ts";
 *
 * const error = new CudaError("cudaMemcpy", 1, "cudaErrorInvalidValue", "invalid argument");
 * console.log(error.message); // "Cannot do cudaMemcpy: invalid argument (cudaErrorInvalidValue, 1)"
 * ```
 */
export class CudaError extends Error {
  override readonly name = "CudaError";
  /** Takes the function, its `cudaError_t`, and CUDA's name and description of that error. */
  constructor(readonly call: string, readonly code: number, readonly codeName: string, text: string) {
    super(`Cannot do ${call}: ${text} (${codeName}, ${code})`);
  }
}

/**
 * The GPU does not have enough free memory for an allocation.
 *
 * @example
 * ```ts
 * import { OutOfMemoryError } from "./errors.ts";
 *
 * const error = new OutOfMemoryError(3 * 2 ** 30, 2 ** 30, 80 * 2 ** 30);
 * console.log(error.message); // "Cannot allocate 3.00 GiB on the GPU: 1.00 GiB of 80.00 GiB free"
 * ```
 */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  /** Takes the bytes requested, free and in total; null where the GPU does not report them. */
  constructor(readonly bytesAsked: number, readonly bytesFree: number | null, readonly bytesTotal: number | null) {
    const free = bytesFree === null || bytesTotal === null
      ? "not enough memory"
      : `${gib(bytesFree)} of ${gib(bytesTotal)} free`;
    super(`Cannot allocate ${gib(bytesAsked)} on the GPU: ${free}`);
  }
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
