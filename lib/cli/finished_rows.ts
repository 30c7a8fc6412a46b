import { comparedWith } from "../report/results/compared_with.ts";
import type { BenchmarkResults } from "../report/results/types.ts";

/**
 * Hands on the configurations of a run as they end. They are compared with the baseline: until that has ended, the
 * others wait.
 */
export class FinishedRows {
  #waiting: string[] = [];
  readonly #done = new Set<string>();

  /** @param print Called once for each configuration, with the results so far. */
  constructor(readonly print: (results: BenchmarkResults, name: string) => void) {}

  /** Takes a configuration that has ended. */
  add(results: BenchmarkResults, name: string): void {
    const baseline = comparedWith(results.config);
    const isCompared = results.configurations.some((record) => record.name === baseline && record.status === "not run");
    if (name === baseline) this.#waiting.unshift(name);
    else this.#waiting.push(name);
    if (!isCompared) this.#flush(results);
  }

  /** Hands on what is left at the end of a run: also configurations that failed or were not measured. */
  end(results: BenchmarkResults): void {
    this.#flush(results);
    for (const { name } of results.configurations) if (!this.#done.has(name)) this.#print(results, name);
  }

  #flush(results: BenchmarkResults): void {
    for (const name of this.#waiting.splice(0)) this.#print(results, name);
  }

  #print(results: BenchmarkResults, name: string): void {
    if (this.#done.has(name)) return;
    this.#done.add(name);
    this.print(results, name);
  }
}
