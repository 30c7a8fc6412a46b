import type { Device } from "./device.ts";
import type { Ort } from "./ort.ts";

/** What sessions run in; shared by the whole process. */
export interface Runtime {
  readonly ort: Ort;
  /** Where the model and the cache live. */
  readonly device: Device;
  /** The host's memory, for the few inputs that CUDA kernels take from there. */
  readonly host: Device;
}
