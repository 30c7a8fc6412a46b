import type { SpeedRun } from "../report/results/spread_types.ts";
import type { BenchmarkResults, Failure, PassChoice, QualitySample } from "../report/results/types.ts";
import { composeSample } from "./compose.ts";
import type { SpeedTurn } from "./rounds.ts";

/** Reason recorded for a configuration that was measured in part, and neither to the end nor to a failure. */
export const INTERRUPTED = "interrupted";

/** What a run has measured so far, pass by pass. Keeps results.json such that every finished pass is in it. */
export class Ledger {
  readonly #speed = new Map<string, SpeedRun[]>();
  readonly #quality = new Map<string, QualitySample[]>();
  readonly #failed = new Map<string, Failure>();
  readonly #samples: readonly number[];

  /**
   * @param results The run; what is measured is recorded in it.
   * @param turns The speed passes that are wanted.
   * @param passes Which passes are made.
   */
  constructor(
    readonly results: BenchmarkResults,
    readonly turns: readonly SpeedTurn[],
    readonly passes: PassChoice,
  ) {
    this.#samples = Array.from({ length: results.config.num_samples }, (_, sample) => sample);
    results.speed_runs ??= [];
  }

  /** Samples of a turn that are not measured yet. */
  missingSpeed({ round, configuration, samples }: SpeedTurn): number[] {
    const own = this.#speed.get(this.#name(configuration)) ?? [];
    return samples.filter((sample) => !own.some((run) => run.round === round && run.sample === sample));
  }

  /** Samples whose quality is not measured yet. */
  missingQuality(configuration: number): number[] {
    if (this.passes === "speed") return [];
    const own = this.#quality.get(this.#name(configuration)) ?? [];
    return this.#samples.filter((sample) => !own.some((found) => found.sample === sample));
  }

  /** Whether a configuration failed in this run. */
  hasFailed(configuration: number): boolean {
    return this.#failed.has(this.#name(configuration));
  }

  /** Records a speed pass; one that is recorded already is left as it is. */
  addSpeed(run: SpeedRun): void {
    if (this.#speed.get(run.method)?.some(({ round, sample }) => round === run.round && sample === run.sample)) return;
    this.results.speed_runs!.push(run);
    this.results.speed_runs!.sort(byTurn);
    append(this.#speed, run, byTurn);
    this.#settle(run.method);
  }

  /** Records a quality pass; one that is recorded already is left as it is. */
  addQuality(sample: QualitySample): void {
    if (this.#quality.get(sample.method)?.some((known) => known.sample === sample.sample)) return;
    append(this.#quality, sample, (a, b) => a.sample - b.sample);
    this.#settle(sample.method);
  }

  /** Records why a configuration was not measured to the end. */
  fail(failure: Failure): void {
    this.#failed.set(failure.method, failure);
    this.#settle(failure.method);
  }

  /** Whether everything wanted of a configuration is measured. */
  isComplete(configuration: number): boolean {
    const turns = this.turns.filter((turn) => turn.configuration === configuration);
    return turns.every((turn) => this.missingSpeed(turn).length === 0) &&
      this.missingQuality(configuration).length === 0;
  }

  #name(configuration: number): string {
    return this.results.configurations[configuration]!.name;
  }

  /** Updates what results.json says of a configuration. */
  #settle(name: string): void {
    const { results } = this;
    const index = results.configurations.findIndex((record) => record.name === name);
    const record = results.configurations[index]!;
    const runs = this.#speed.get(name) ?? [];
    const quality = this.#quality.get(name) ?? [];
    const without = <T extends { readonly method: string }>(list: readonly T[]) =>
      list.filter(({ method }) => method !== name);
    results.failures = without(results.failures);
    results.raw_results = without(results.raw_results);
    if (this.isComplete(index)) {
      record.status = "done";
      results.raw_results.push(...this.#samples.map((sample) =>
        composeSample(
          name,
          sample,
          runs.filter((run) => run.sample === sample),
          quality.find((found) => found.sample === sample),
        )
      ));
      return;
    }
    const failure = this.#failed.get(name);
    record.status = failure ? "failed" : "not run";
    if (!failure && runs.length + quality.length === 0) return;
    const { reason, log, code } = failure ?? { reason: INTERRUPTED, log: "", code: 0 };
    results.failures.push({
      method: name,
      reason,
      log,
      code,
      ...(quality.length > 0 ? { quality: [...quality] } : {}),
    });
    const places = new Map(results.configurations.map(({ name }, i) => [name, i]));
    results.failures.sort((a, b) => places.get(a.method)! - places.get(b.method)!);
  }
}

/** Orders speed passes as a run makes them: a resumed run's file is then that of a run that was not cut. */
function byTurn(a: SpeedRun, b: SpeedRun): number {
  return a.round - b.round || a.place - b.place || a.sample - b.sample;
}

function append<T extends { readonly method: string }>(
  lists: Map<string, T[]>,
  item: T,
  order: (a: T, b: T) => number,
): void {
  lists.set(item.method, [...lists.get(item.method) ?? [], item].sort(order));
}
