import { modelFileName } from "../../report/results/results_folder.ts";
import { mean } from "../../report/results/stats.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { lengthsFor } from "../plan/machine.ts";
import type { PlannedCell, PlannedJob } from "../plan/types.ts";

/** Times that cells took, by what they depend on. */
export class Estimate {
  /** Model, lengths, device and method → seconds. */
  readonly #seconds = new Map<string, number[]>();

  /** Takes the times of earlier results. Results without times are passed over. */
  add({ config, configurations }: BenchmarkResults): void {
    const { model_id, device, dtype, max_tokens, max_new_tokens, prompt_tokens, num_samples, repetitions } = config;
    const lengths = { max_tokens, max_new_tokens, prompt_tokens, num_samples, repetitions };
    for (const { method, process_s, status } of configurations) {
      if (status !== "done" || process_s === undefined) continue;
      const seconds = process_s.speed + process_s.quality;
      for (const type of [dtype, "auto"]) {
        for (const one of [method, ANY]) {
          const key = keyOf({ model_id, device, dtype: type, passes: config.passes ?? "both", ...lengths }, one);
          this.#seconds.set(key, [...this.#seconds.get(key) ?? [], seconds]);
        }
      }
    }
  }

  /**
   * Returns how long a cell will take, s: as the same method took with the same model, lengths and device; or as any
   * method did. Undefined if nothing like it was measured.
   *
   * @param job Its job.
   * @param cell The cell; the baseline if left out.
   * @param device The device that its run uses.
   */
  of({ flags }: PlannedJob, cell: PlannedCell | undefined, device: "cuda" | "cpu"): number | undefined {
    const { dtype = "auto", passes = "both", model_id = "novel-neox-8m", ...terms } = flags;
    const given = { ...lengthsFor(device, terms), ...terms, model_id, dtype, passes, device };
    const methods = [cell?.configuration.method ?? "baseline", ANY];
    const found = methods.map((method) => this.#seconds.get(keyOf(given, method))).find((seconds) => seconds);
    return found === undefined ? undefined : mean(found);
  }
}

const ANY = "*";

function keyOf(terms: Readonly<Record<string, string | number | undefined>>, method: string): string {
  const { model_id, device, dtype, passes, max_tokens, max_new_tokens, prompt_tokens, num_samples, repetitions } =
    terms;
  const model = modelFileName(`${model_id}`);
  return [
    ...[model, device, dtype, passes, max_tokens, max_new_tokens, prompt_tokens, num_samples, repetitions ?? 1],
    method,
  ].join(" ");
}
