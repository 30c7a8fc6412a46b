import type { VramSampler } from "../../nvml/sampler.ts";
import type { Conditions } from "../../report/results/spread_types.ts";
import { HostLoad } from "./host_load.ts";

/** Records what the machine does during a speed pass: other processes, and the GPU. Reads before and after it only. */
export class ConditionMeter {
  readonly #vram: VramSampler | undefined;
  #load: HostLoad | undefined;

  /** @param vram What samples the GPU; undefined on a CPU. */
  constructor(vram: VramSampler | undefined) {
    this.#vram = vram;
  }

  /** Begins: call it before the pass. */
  begin(): void {
    this.#vram?.beginConditions();
    this.#load = new HostLoad();
  }

  /**
   * Ends: call it after the pass.
   *
   * @returns What the machine did since {@linkcode begin}.
   */
  end(): Conditions {
    if (this.#load === undefined) throw new TypeError("Cannot end: begin() was not called");
    const host = this.#load.end();
    const gpu = this.#vram?.endConditions();
    this.#load = undefined;
    return { ...host, ...(gpu ? { gpu } : {}) };
  }
}
