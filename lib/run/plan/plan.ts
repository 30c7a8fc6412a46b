import type { BenchmarkResults } from "../../report/results/types.ts";
import { baseline } from "../../policies/baseline.ts";
import type { MeasureRequest } from "../child/protocol.ts";
import { DTYPES } from "../../util/dtype.ts";
import { checkComparedWith, checkNames, checkPositions } from "./check_input.ts";
import { checkRequests } from "./check_requests.ts";
import type { BudgetShape } from "../../policies/budget.ts";
import { acrossPositions } from "./configuration.ts";
import { describeRun } from "./describe_run.ts";
import { openInput, type RunInput } from "./input.ts";
import type { BenchmarkOptions } from "./options.ts";
import { passesOf, requestOf } from "./requests.ts";
import { resolveBudget, type ResolvedConfiguration } from "./resolve_budget.ts";
import { weightFiles } from "./weight_files.ts";

/** A run before its first configuration. */
export interface Plan {
  /** Content of results.json, without figures so far. */
  readonly results: BenchmarkResults;
  /** One request for each configuration, in order. */
  readonly requests: readonly MeasureRequest[];
  /** Configurations that cannot run, by name, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
  /** The model's folder and its weight files, whose hashes are not in the results yet. */
  readonly weights: { readonly folder: string; readonly files: readonly string[] };
  /** The model's shape, for traces. */
  readonly shape: { readonly layers: number; readonly kv_heads: number };
  /** Entries of the vocabulary. */
  readonly vocab: number;
  /** The full cache, whose logits the others are compared with; one of the requests if it is a row of the table. */
  readonly reference: MeasureRequest | undefined;
  /** Whether the quality pass is longer than what the model was trained for: then perplexity along the text matters. */
  readonly isLong: boolean;
}

/**
 * Makes the plan of a run: opens the input, makes a request for each configuration, checks and describes them. Every
 * mistake is found here, before a folder is made or anything is measured.
 *
 * @param options The options given.
 * @returns The plan.
 * @throws {InputError} Saying what is wrong and what would do.
 */
export async function makePlan(options: BenchmarkOptions): Promise<Plan> {
  const { onNote = () => {} } = options;
  const asked = acrossPositions(options.configurations, checkPositions(options.positions));
  checkNames(asked);
  checkComparedWith(options.compared_with, asked);
  const input = await openInput(options);
  const shape = budgetShape(input);
  const configurations = asked.map((configuration) => resolveBudget(configuration, shape));
  const passes = passesOf(input, options);
  const requests = configurations.map((configuration) => requestOf(configuration, input, options));
  const { refused, notes } = checkRequests(requests, configurations.map(({ policy }) => policy.method), passes, input);
  notes.forEach(onNote);
  const { model, model: { spec }, lengths } = input;
  return {
    results: await describeRun(requests, configurations, passes, input, options),
    requests,
    refused,
    weights: { folder: model.path, files: weightFiles(model) },
    shape: { layers: spec.layers, kv_heads: spec.kvHeads },
    vocab: spec.vocab,
    reference: referenceOf(configurations, requests, input, options),
    isLong: lengths.max_tokens > spec.maxPositions,
  };
}

/**
 * Returns the full cache's request, if the distance from it is measured: that of the table's row, or one of its own. Of
 * several full caches it is the one that others are compared with by name, or the first in the widest type.
 */
function referenceOf(
  configurations: readonly ResolvedConfiguration[],
  requests: readonly MeasureRequest[],
  input: RunInput,
  options: BenchmarkOptions,
): MeasureRequest | undefined {
  if (options.divergence === false || options.passes === "speed") return undefined;
  const full = requests.filter((_, i) => configurations[i]!.policy.method === "baseline");
  const row = full.find(({ name }) => name === options.compared_with) ?? widest(full);
  if (row !== undefined) return row;
  const { positions, dtype } = widest(requests)!;
  const own = input.dtype === dtype ? {} : { dtype };
  const { trace: _, ...request } = requestOf(
    { name: "the full cache", policy: baseline(), positions, ...own },
    input,
    options,
  );
  return request;
}

/** The first in the type of most bytes. */
function widest(requests: readonly MeasureRequest[]): MeasureRequest | undefined {
  return requests.toSorted((a, b) => DTYPES[b.dtype].bytes - DTYPES[a.dtype].bytes)[0];
}

/** What budgets go by: the layers, and the length of the quality pass. */
function budgetShape({ model: { spec: { layers } }, skipLayers, lengths }: RunInput): BudgetShape {
  const acting = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !skipLayers.includes(layer));
  return { layers, acting, tokens: lengths.max_tokens };
}
