import type { ChildEvent } from "../child/protocol.ts";
import type { Phase } from "../progress_event.ts";

/** Least time between progress events, ms: they must cost nothing. */
const PROGRESS_INTERVAL = 200;

/** Reports how far a phase of a sample is. */
export type Report = (phase: Phase, sample: number, done: number, total: number, perplexity?: number) => void;

/** Returns a function that reports progress a few times a second, and the begin and end of each sample's phases. */
export function throttled(emit: (event: ChildEvent) => void): Report {
  let next = 0, last: string | undefined;
  return (phase, sample, done, total, perplexity) => {
    const now = performance.now();
    const part = `${phase} ${sample}`;
    if (now < next && part === last && done < total) return;
    next = now + PROGRESS_INTERVAL;
    last = part;
    emit({ type: "progress", phase, sample, done, total, ...(perplexity === undefined ? {} : { perplexity }) });
  };
}
