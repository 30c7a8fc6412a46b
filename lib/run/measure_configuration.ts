import type { TraceSnapshot } from "../report/results/trace_types.ts";
import type { ConfigurationRecord, RawResult } from "../report/results/types.ts";
import { type ChildEnd, runChild } from "./child/child.ts";
import type { MeasureRequest } from "./child/protocol.ts";
import type { BenchmarkOptions } from "./plan/options.ts";

/** The longest timeout of a timer, ms: 24 days. A longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** How the measurement of a configuration ended. */
export interface Measured {
  readonly end: ChildEnd;
  /** Whether it exceeded its time limit. */
  readonly timedOut: boolean;
}

/**
 * Measures one configuration in a child process, within its time limit. Hands over each sample as soon as it is
 * finished, and records whose kernels ran.
 */
export async function measureConfiguration(
  request: MeasureRequest,
  record: ConfigurationRecord,
  index: number,
  count: number,
  { signal, timeout, onNote, onProgress }: BenchmarkOptions,
  keep: (result: RawResult, snapshots: TraceSnapshot[]) => Promise<void>,
): Promise<Measured> {
  const snapshots: TraceSnapshot[] = [];
  const late = timeout === undefined ? undefined : AbortSignal.timeout(Math.min(timeout * 1000, LONGEST_MS));
  const end = await runChild(request, async (event) => {
    if (event.type === "sample") await keep(event.result, snapshots);
    if (event.type === "trace") snapshots.push(event.snapshot);
    if (event.type === "kernels") {
      record.kernels = event.kernels;
      if (event.kernels_reason !== undefined) record.kernels_reason = event.kernels_reason;
    }
    if (event.type === "note") onNote?.(`${request.name}: ${event.message}`);
    if (event.type === "progress") {
      onProgress?.({
        ...event,
        configuration: request.name,
        index,
        count,
        samples: request.samples.length,
      });
    }
  }, anyOf(signal, late));
  return { end, timedOut: late?.aborted === true && end.code !== 0 };
}

/** Returns a signal that aborts as soon as one of these does. */
export function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}
