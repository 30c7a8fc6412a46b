import type { Trace, TraceSnapshot } from "../report/results/trace_types.ts";
import { reasonOf } from "./child/child.ts";
import type { MeasureRequest } from "./child/protocol.ts";
import { type Job, jobsOf, weightOf } from "./jobs.ts";
import type { Ledger } from "./ledger.ts";
import { measureJob, type SampleEvent } from "./measure_job.ts";
import type { BenchmarkOptions } from "./plan/options.ts";
import type { Plan } from "./plan/plan.ts";
import { ReferenceRun } from "./reference_run.ts";

/** Measures what a run still lacks, process by process. A configuration that fails is left out from then on. */
export class Measuring {
  /**
   * @param traces Takes what caches held.
   * @param save Called after each sample and each failure.
   */
  constructor(
    readonly plan: Plan,
    readonly ledger: Ledger,
    readonly traces: Trace[],
    readonly options: BenchmarkOptions & { readonly signal: AbortSignal },
    readonly save: () => Promise<void>,
  ) {}

  /**
   * Measures everything, until the run is ended.
   *
   * @param onTimed Called once nothing is timed any more, before the first quality pass.
   */
  async all(onTimed: () => void): Promise<void> {
    const { plan, ledger, options: { signal, onConfiguration, onNote } } = this;
    await using reference = await ReferenceRun.open(plan, ledger, onNote);
    const jobs = jobsOf(plan.requests, ledger, reference?.source);
    const weights = jobs.map(weightOf);
    const all = weights.reduce((a, b) => a + b, 0);
    let past = 0;
    for (const [i, job] of jobs.entries()) {
      if (signal.aborted) break;
      if (job.pass === "quality") onTimed();
      const { configuration, request: { name } } = job;
      const wasComplete = configuration !== undefined && ledger.isComplete(configuration);
      if (configuration === undefined || !ledger.hasFailed(configuration)) {
        await this.#one(job, reference, (part) => (past + part * weights[i]!) / all);
      }
      if (configuration !== undefined && !wasComplete && ledger.isComplete(configuration)) {
        onConfiguration?.(plan.results, name);
      }
      past += weights[i]!;
    }
  }

  /** Measures in one process, and records each sample as soon as it is known. */
  async #one(job: Job, files: ReferenceRun | undefined, shareOf: (part: number) => number): Promise<void> {
    const { plan, ledger, options } = this;
    const reference = await files?.useOf(job);
    const keep = (event: SampleEvent, snapshots: TraceSnapshot[]) => this.#keep(job, event, snapshots);
    const whole = reference ? { ...job, reference } : job;
    const { end, timedOut } = await measureJob(whole, plan.results, options, { keep, shareOf, writes: files?.folder });
    if (options.signal.aborted || job.configuration === undefined) return;
    const missing = job.turn ? ledger.missingSpeed(job.turn) : ledger.missingQuality(job.configuration);
    if (end.code === 0 && missing.length === 0) return;
    const reason = timedOut ?? reasonOf(end);
    ledger.fail({ method: job.request.name, reason, log: end.log, code: end.code });
    await this.save();
  }

  async #keep({ request, turn, configuration }: Job, event: SampleEvent, snapshots: TraceSnapshot[]): Promise<void> {
    const { ledger, plan, traces } = this;
    if (configuration === undefined) return;
    if (event.pass === "speed") {
      ledger.addSpeed({ ...event.result, round: turn!.round, place: turn!.place });
    } else if (ledger.missingQuality(configuration).includes(event.result.sample)) {
      if (request.trace && event.result.sample === 0) traces.push(traceOf(request, plan, snapshots));
      ledger.addQuality(event.result);
    }
    await this.save();
  }
}

/** Makes the trace of what a configuration's cache held. */
function traceOf({ name, positions, skipLayers }: MeasureRequest, { shape }: Plan, snapshots: TraceSnapshot[]): Trace {
  return { configuration: name, positions, skip_layers: [...skipLayers], ...shape, snapshots };
}
