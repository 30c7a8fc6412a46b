import { type KeepTable, tabulate } from "../cache/schedule.ts";
import type { FloatType } from "../util/dtype.ts";
import { InputError } from "../util/errors.ts";
import type { AttentionForm } from "../model/graph/attention/attention_form.ts";
import type { ModelFolder } from "../model/folder/model_folder.ts";
import { shortestWindow } from "../model/spec.ts";
import { checkPolicy } from "../policies/check_policy.ts";
import type { Policy } from "../policies/policy.ts";
import { methods } from "../policies/registry.ts";
import { chooseAttention } from "../run/plan/choose.ts";
import type { KernelChoice } from "../engine/kernel_choice.ts";
import { BUDGET_METHODS, type BudgetMethodName } from "./budget_methods.ts";
import { mergeTables } from "./merge_tables.ts";
import type { Lengths, RowRequest, RowsRequest } from "./protocol.ts";
import { lastPosition, rowPasses, stepsOf } from "./row_passes.ts";

/** What to measure. */
export interface RooflineOptions {
  readonly device: "cuda" | "cpu";
  readonly dtype: FloatType;
  readonly methods: readonly BudgetMethodName[];
  readonly kernels: KernelChoice;
  /** Entries held by the full cache, and budgets of the methods. */
  readonly cacheLengths: readonly number[];
  /** Further lengths of the full cache, for the break-even. */
  readonly fullLengths: readonly number[];
  readonly prefills: number;
  readonly lengths: Lengths;
  /** Whether each row has a process of its own, instead of each method. */
  readonly isolate: boolean;
}

/** Rows of one process. */
export interface Job {
  /** The method, or "baseline" for the full cache. */
  readonly method: BudgetMethodName | "baseline";
  readonly attention: AttentionForm;
  /** The request to the process. */
  readonly request: RowsRequest;
}

/**
 * Plans what each process measures: the full cache in its default form of attention, also in the explicit form if a
 * method uses that, and each method.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../model/folder/model_folder.ts";
 * import { planJobs } from "./plan.ts";
 *
 * const jobs = planJobs(openModelFolder("lib/assets/novel-neox-8m"), {
 *   device: "cpu",
 *   dtype: "float32",
 *   methods: ["tova"],
 *   kernels: "auto",
 *   cacheLengths: [256, 512],
 *   fullLengths: [1024],
 *   prefills: 3,
 *   lengths: { warmup: 8, steps: 64, batches: 0, queued: 0 },
 *   isolate: false,
 * });
 * console.log(jobs.map(({ method, attention, request }) => [method, attention, request.rows.length]));
 * // [ [ "baseline", "fused", 3 ], [ "baseline", "explicit", 2 ], [ "tova", "explicit", 2 ] ]
 * ```
 *
 * @param model The model.
 * @param options What to measure.
 * @returns One job for each process, in the order of the table.
 * @throws {InputError} If a method cannot run at one of the lengths.
 */
export function planJobs(model: ModelFolder, options: RooflineOptions): Job[] {
  const form = (policy: Policy) => formOf(policy, model, options);
  const wanted = options.methods.map((method) => {
    const policies = options.cacheLengths.map((length) => BUDGET_METHODS[method](length));
    return { method, policies, attention: form(policies[0]!) };
  });
  const own = form(methods.baseline());
  const forms = new Set([own, ...wanted.map(({ attention }) => attention)]);
  const rows = [...forms].flatMap((attention) => {
    const full = attention === own ? options.fullLengths : [];
    return jobs(
      model,
      options,
      "baseline",
      attention,
      [
        ...options.cacheLengths.map((length) => fullRow(length, length, options.prefills)),
        // No prompt: the time of a step does not depend on what the cache holds.
        ...full.filter((length) => !options.cacheLengths.includes(length)).map((length) => fullRow(length, 0, 0)),
      ].sort((a, b) => a.length - b.length).map((row) => ({ row, policy: methods.baseline() })),
    );
  });
  const evicting = wanted.flatMap(({ method, policies, attention }) =>
    jobs(
      model,
      options,
      method,
      attention,
      policies.map((policy, i) => {
        const length = options.cacheLengths[i]!;
        const fill = fillOf(policy, model.spec.layers, length);
        checkPolicy(policy, { layers: model.spec.layers, maxEntries: fill + 1 });
        return { policy, row: { length, fill, rewind: false, prefills: options.prefills } };
      }),
    )
  );
  return [...rows, ...evicting];
}

/**
 * Returns a policy's default form of attention, the same at all lengths.
 *
 * @param policy The policy.
 * @param model The model.
 * @param options What to measure.
 * @returns The form.
 * @throws {InputError} If the model is an ONNX export.
 */
export function formOf(
  policy: Policy,
  model: ModelFolder,
  { device, dtype, cacheLengths, fullLengths, lengths }: RooflineOptions,
): AttentionForm {
  // If layers have budgets of their own, none has more than twice the mean.
  const tokens = Math.max(...cacheLengths.map((length) => 2 * length), ...fullLengths) + stepsOf(lengths);
  const form = chooseAttention("auto", dtype, model, device, { name: policy.method, policy }, tokens);
  if (form !== "export") return form;
  throw new InputError(
    `Cannot measure the engine on ${
      model.export!.step.path
    }: an ONNX export is not its own graph; give a model with safetensors files`,
  );
}

function fullRow(length: number, fill: number, prefills: number): RowRequest {
  return { length, fill, rewind: true, prefills };
}

/**
 * Prompt length after which a step evicts in every layer in which the policy ever does at this budget. If layers have
 * budgets of their own, some are larger than the mean.
 */
function fillOf(policy: Policy, layers: number, budget: number): number {
  const first = (layer: number) => {
    for (let entries = 1; entries <= 4 * budget; entries++) {
      if (policy.keep({ layer, layers, entries }) !== "all") return entries - 1;
    }
    return budget;
  };
  return Math.max(budget, ...Array.from({ length: layers }, (_, layer) => first(layer)));
}

/** A process for each row; or, unless that is asked for, one for all rows that one loaded model can serve. */
function jobs(
  { spec, path }: ModelFolder,
  { device, dtype, lengths, isolate, kernels }: RooflineOptions,
  method: Job["method"],
  attention: AttentionForm,
  rows: readonly { readonly row: RowRequest; readonly policy: Policy }[],
): Job[] {
  const steps = stepsOf(lengths);
  const tables = rows.map(({ row, policy }) =>
    tabulate(policy, spec, [], [[{ tokens: row.length, times: 1 }], rowPasses(row, steps)])
  );
  const job = (table: KeepTable, { score, attention: attentionUse }: Policy, rows: readonly RowRequest[]): Job => ({
    method,
    attention,
    request: {
      type: "rows",
      model: path,
      device,
      dtype,
      attention,
      kernels,
      table,
      rows,
      ...(score ? { score } : {}),
      ...(attentionUse ? { attentionUse } : {}),
      lengths,
    },
  });
  // Everything except the table that shapes the graph.
  const graphs = rows.map(({ row, policy: { score, attention } }) =>
    JSON.stringify([score, attention, lastPosition(row, lengths) > shortestWindow(spec)])
  );
  const merged = isolate || new Set(graphs).size > 1 ? undefined : mergeTables(tables);
  return merged
    ? [job(merged, rows[0]!.policy, rows.map(({ row }) => row))]
    : rows.map(({ row, policy }, i) => job(tables[i]!, policy, [row]));
}
