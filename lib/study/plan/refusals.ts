import { expand } from "../../cli/expand.ts";
import { parseFlags } from "../../cli/flags/parse.ts";
import { resolveBudget } from "../../run/plan/resolve_budget.ts";
import { InputError } from "../../util/errors.ts";
import { argumentsOf } from "./plan_jobs.ts";
import type { PlannedJob } from "./types.ts";

/**
 * Finds cells whose budget the model cannot have at this length: `bench` would refuse the whole run for one of them.
 *
 * @example
 * ```ts
 * import { planJobs } from "./plan_jobs.ts";
 * import { checkPlan } from "./read_plan.ts";
 * import { refusalsOf } from "./refusals.ts";
 *
 * const { jobs } = planJobs(checkPlan({ grid: { method: "tova", budget: ["20%", "60%"], no_recent_only: true } }, "a.json"));
 * // Two layers of eight are skipped, and hold 25 % alone.
 * console.log([...refusalsOf(jobs[0]!, 8, 400).keys()]); // [ "tova_20%" ]
 * ```
 *
 * @param job The job.
 * @param layers Layers of its model.
 * @param maxTokens Tokens of its quality pass.
 * @returns Name in the job's run → why it cannot run.
 */
export function refusalsOf(job: PlannedJob, layers: number, maxTokens: number): Map<string, string> {
  const flags = parseFlags(argumentsOf(job.flags));
  const acting = Array.from({ length: layers }, (_, i) => i).filter((layer) => !flags.skip_layers.includes(layer));
  const refused = new Map<string, string>();
  for (const configuration of expand(flags)) {
    if (configuration.budget === undefined) continue;
    try {
      resolveBudget(configuration, { layers, acting, tokens: maxTokens });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused.set(configuration.name, error.message);
    }
  }
  return refused;
}
