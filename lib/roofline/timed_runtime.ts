import type { Ort } from "../ort/ort.ts";
import type { Runtime } from "../ort/runtime.ts";

/** A runtime that measures its time within ONNX Runtime's Run. */
export interface TimedRuntime extends Runtime {
  /** Time within Run since the last call, s. */
  takeRunTime(): number;
}

/**
 * Returns the same runtime, with a clock around ONNX Runtime's RunWithBinding: two readings per call, less than a
 * microsecond.
 *
 * @example
 * ```ts
 * import { openRuntime } from "../engine/open_runtime.ts";
 * import { timedRuntime } from "./timed_runtime.ts";
 *
 * console.log(timedRuntime(openRuntime("cpu")).takeRunTime()); // 0
 * ```
 *
 * @param runtime The runtime. It is not changed.
 * @returns A runtime whose sessions are timed.
 */
export function timedRuntime(runtime: Runtime): TimedRuntime {
  let seconds = 0;
  const { c } = runtime.ort;
  const RunWithBinding: typeof c.RunWithBinding = (...args) => {
    const start = performance.now();
    const status = c.RunWithBinding(...args);
    seconds += (performance.now() - start) / 1000;
    return status;
  };
  const ort: Ort = Object.create(runtime.ort, { c: { value: { ...c, RunWithBinding } } });
  return {
    ort,
    device: runtime.device,
    host: runtime.host,
    takeRunTime: () => {
      const taken = seconds;
      seconds = 0;
      return taken;
    },
  };
}
