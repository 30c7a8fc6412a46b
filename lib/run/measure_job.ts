import type { TraceSnapshot } from "../report/results/trace_types.ts";
import type { BenchmarkResults } from "../report/results/types.ts";
import { type ChildEnd, runChild } from "./child/child.ts";
import type { ChildEvent, MeasureOrder } from "./child/protocol.ts";
import type { Job } from "./jobs.ts";
import type { BenchmarkOptions } from "./plan/options.ts";

/** The longest timeout of a timer, ms: 24 days. A longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** How a process ended. */
export interface Measured {
  readonly end: ChildEnd;
  /** The time limit that it exceeded, in words; undefined if it exceeded none. */
  readonly timedOut: string | undefined;
}

/** The result of a sample, as a process reports it. */
export type SampleEvent = Extract<ChildEvent, { type: "sample" }>;

/** What is told while a process measures. */
export interface JobHooks {
  /** Called with each finished sample; the process continues when it returns. */
  readonly keep: (event: SampleEvent, snapshots: TraceSnapshot[]) => Promise<void>;
  /** Called with the share of the job that is done, 0..1, before progress is reported. */
  readonly shareOf: (part: number) => number;
  /** The folder that the process may write the full cache's logits to. */
  readonly writes: string | undefined;
}

/** Measures one pass of a configuration in a child process, within its time limit. Records whose kernels ran. */
export async function measureJob(
  job: Job,
  { configurations, config }: BenchmarkResults,
  { signal, onNote, onProgress, ...limits }: BenchmarkOptions,
  { keep, shareOf, writes }: JobHooks,
): Promise<Measured> {
  const { request, pass, wanted, turn, reference, configuration } = job;
  const record = configuration === undefined ? undefined : configurations[configuration]!;
  const snapshots: TraceSnapshot[] = [];
  const began = performance.now();
  const before = record?.process_s ?? { speed: 0, quality: 0 };
  const limit = limitOf(limits, before);
  const late = limit === undefined ? undefined : AbortSignal.timeout(Math.min(limit.seconds * 1000, LONGEST_MS));
  const order: MeasureOrder = { ...request, pass, wanted, ...(reference ? { reference } : {}) };
  const onEvent = async (event: ChildEvent) => {
    if (event.type === "sample") await keep(event, snapshots);
    if (event.type === "trace") snapshots.push(event.snapshot);
    if (event.type === "kernels" && record) {
      record.kernels = event.kernels;
      if (event.kernels_reason !== undefined) record.kernels_reason = event.kernels_reason;
    }
    if (event.type === "note") onNote?.(`${request.name}: ${event.message}`);
    if (event.type === "progress") {
      const { phase, sample, done, total } = event;
      const part = phase === pass ? (wanted.indexOf(sample) + done / total) / wanted.length : 0;
      onProgress?.({
        ...event,
        configuration: request.name,
        index: configuration ?? 0,
        count: configurations.length,
        pass,
        ...(turn ? { round: turn.round } : {}),
        rounds: config.repetitions ?? 1,
        samples: config.num_samples,
        share: shareOf(part),
      });
    }
  };
  const end = await runChild(
    order,
    onEvent,
    anyOf(signal, late),
    undefined,
    reference?.role === "write" ? writes : undefined,
  );
  if (record) {
    record.process_s = { ...before, [pass]: before[pass] + (performance.now() - began) / 1000 };
  }
  return { end, timedOut: late?.aborted === true && end.code !== 0 ? limit?.exceeded : undefined };
}

/** Returns how long a process may take, s, with the words for when it takes longer; undefined without a limit. */
function limitOf(
  { timeout, configuration_timeout: all }: Pick<BenchmarkOptions, "timeout" | "configuration_timeout">,
  { speed, quality }: { readonly speed: number; readonly quality: number },
): { readonly seconds: number; readonly exceeded: string } | undefined {
  const left = all === undefined ? Infinity : Math.max(0, all - speed - quality);
  if (timeout !== undefined && timeout <= left) {
    return { seconds: timeout, exceeded: `it took over ${timeout} s (--timeout)` };
  }
  if (left === Infinity) return undefined;
  return { seconds: left, exceeded: `its processes took over ${all} s together (--configuration_timeout)` };
}

/** Returns a signal that aborts as soon as one of these does. */
export function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}
