import { InputError } from "../util/errors.ts";
import { cStrings } from "./_c.ts";
import type { Ort } from "./ort.ts";

/**
 * Has ONNX Runtime load its CUDA provider, which otherwise the first session does.
 *
 * @throws {InputError} If a library that it needs is missing; the message names it.
 */
export function loadCudaProvider(ort: Ort): void {
  const { c } = ort;
  try {
    const options = ort.create((out) => c.CreateCUDAProviderOptions(out));
    try {
      // Whichever option it is, the provider reads it; one that does not have it look for GPUs.
      ort.check(c.UpdateCUDAProviderOptions(options, cStrings(["use_tf32"]), cStrings(["0"]), 1n));
    } finally {
      c.ReleaseCUDAProviderOptions(options);
    }
  } catch (cause) {
    throw new InputError(`Cannot use --device cuda: ${(cause as Error).message}`, { cause });
  }
}
