import type { Flags } from "./types.ts";
import type { FlagSpec } from "../../flags/spec.ts";
import { choice, wordFor } from "../../flags/values.ts";

/** Other words for number types. */
export const DTYPE_WORDS = {
  fp32: "float32",
  f32: "float32",
  float: "float32",
  single: "float32",
  fp16: "float16",
  f16: "float16",
  half: "float16",
  bf16: "bfloat16",
} as const;

/**
 * Returns the flags for the device, the dtype and the kernels.
 *
 * @param group Heading of the flags.
 */
export function machineFlags(group: string): { readonly [K in "device" | "dtype" | "kernels"]: FlagSpec<Flags[K]> } {
  return {
    device: {
      group,
      help: "auto, cuda or cpu",
      value: "NAME",
      read: wordFor(["auto", "cuda", "cpu"], { gpu: "cuda", nvidia: "cuda" }),
      default: "auto",
    },
    dtype: {
      group,
      help: "auto, float32, float16 or bfloat16",
      value: "NAME",
      read: wordFor(["auto", "float32", "float16", "bfloat16"], DTYPE_WORDS),
      default: "auto",
    },
    kernels: {
      group,
      help:
        "whose kernels run decode steps: auto, the project's own where they can, on CUDA; own, those or an error; " +
        "ort, ONNX Runtime's",
      value: "NAME",
      read: choice(["auto", "own", "ort"]),
      default: "auto",
    },
  };
}
