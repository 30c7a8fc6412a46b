import { InputError } from "../util/errors.ts";
import { cStrings } from "./_c.ts";
import type { Ort } from "./ort.ts";

/**
 * Makes ONNX Runtime load its CUDA provider; otherwise the first session does.
 *
 * @throws {InputError} If a library that it needs is missing; the message names it.
 */
export function loadCudaProvider(ort: Ort): void {
  const { c } = ort;
  try {
    const options = ort.create((out) => c.CreateCUDAProviderOptions(out));
    try {
      // The provider is loaded to read any option; this one does not make it look for GPUs.
      ort.check(c.UpdateCUDAProviderOptions(options, cStrings(["use_tf32"]), cStrings(["0"]), 1n));
    } finally {
      c.ReleaseCUDAProviderOptions(options);
    }
  } catch (cause) {
    throw new InputError(`Cannot use --device cuda: ${(cause as Error).message}`, { cause });
  }
}
