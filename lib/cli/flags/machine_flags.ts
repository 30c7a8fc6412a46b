import type { Flags } from "./types.ts";
import type { FlagSpec } from "../../flags/spec.ts";
import { choice } from "../../flags/values.ts";

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
      read: choice(["auto", "cuda", "cpu"]),
      default: "auto",
    },
    dtype: {
      group,
      help: "auto, float32, float16 or bfloat16",
      value: "NAME",
      read: choice(["auto", "float32", "float16", "bfloat16"]),
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
