/**
 * Checks of a run's options and configurations as a script may give them.
 *
 * @module
 */
import {
  callback,
  checkOptions,
  checkValue,
  either,
  flag,
  integer,
  type KnownOptions,
  listOf,
  number,
  object,
  oneOf,
  orNull,
  required,
  signal,
  text,
} from "../../util/check_options.ts";
import { InputError } from "../../util/errors.ts";
import { readBudget } from "../../policies/budget.ts";
import type { Policy } from "../../policies/policy.ts";
import type { Configuration } from "./configuration.ts";
import type { BenchmarkOptions } from "./options.ts";

/** Lengths are compared with their least values after the device is known: see checkLengths. */
const OPTIONS = {
  configurations: required(listOf("{ name, policy }", () => true)),
  model_id: text,
  revision: text,
  offline: flag,
  dataset: text,
  split: text,
  text_column: text,
  min_chars: integer(0),
  successive: flag,
  num_samples: number,
  max_tokens: number,
  max_new_tokens: number,
  prompt_tokens: number,
  num_warmup: number,
  repetitions: number,
  passes: oneOf("speed", "quality", "both"),
  divergence: flag,
  compared_with: text,
  tokens: flag,
  method: text,
  skip_layers: listOf("layers", (item) => typeof item === "number"),
  prefill_chunk: number,
  device: oneOf("auto", "cuda", "cpu"),
  dtype: oneOf("auto", "float32", "float16", "bfloat16"),
  attention: oneOf("auto", "fused", "explicit"),
  kernels: oneOf("auto", "own", "ort"),
  positions: either(text, listOf("texts", (item) => typeof item === "string")),
  trace: flag,
  trace_every: number,
  plot_nll: flag,
  chart: flag,
  seed: integer(0),
  timeout: integer(1),
  configuration_timeout: integer(1),
  resume: text,
  keep_failed: flag,
  command: listOf("texts", (item) => typeof item === "string"),
  output: orNull(text),
  onProgress: callback,
  onConfiguration: callback,
  onDownload: callback,
  onNote: callback,
  signal,
} satisfies KnownOptions<BenchmarkOptions>;

const CONFIGURATION = {
  name: required(text),
  policy: required(either(object, callback)),
  budget: {
    needed: 'entries, at least 1, or a share of the full cache such as "25%"',
    fits: (value) => readBudget(value) === value,
  },
  positions: oneOf("absolute", "cache", "seed"),
  dtype: oneOf("float32", "float16", "bfloat16"),
} satisfies KnownOptions<Configuration>;

const POLICY = {
  method: required(text),
  params: required(object),
  keep: required(callback),
  score: object,
  attention: object,
} satisfies KnownOptions<Policy>;

/**
 * Refuses options that runBenchmark does not have, values of another type, and malformed configurations.
 *
 * @param options The options given.
 * @throws {InputError} Naming the option, and what would do.
 */
export function checkBenchmarkOptions(options: BenchmarkOptions): void {
  checkOptions("runBenchmark", options, OPTIONS);
  for (const [index, configuration] of options.configurations.entries()) {
    const { name, policy, budget } = Object(configuration) as { readonly [K in keyof Configuration]?: unknown };
    const of = `configuration ${typeof name === "string" ? JSON.stringify(name) : index + 1}`;
    if (typeof policy === "function" && (budget === undefined || Object.hasOwn(policy, "method"))) {
      const { method = "methods.NAME" } = policy as { method?: string };
      const remedy = budget === undefined
        ? `call it, as in ${method}(), or give the configuration a budget`
        : `with a budget, give a function from entries to the policy, as in (entries) => ${method}(…)`;
      throw new InputError(`Cannot use ${of}: its policy is a function that makes one; ${remedy}`);
    }
    checkOptions(of, configuration, CONFIGURATION);
    if (typeof policy === "function") continue;
    if (budget !== undefined) {
      throw new InputError(
        `Cannot use ${of}: it has a budget, and its policy is already made; give a function from entries to the policy`,
      );
    }
    checkPolicyFields(`the policy of ${of}`, policy, of);
  }
}

/**
 * Refuses what is not a policy.
 *
 * @param name What it is, for messages.
 * @param policy The policy.
 * @param of Whose parameters it has, for messages.
 * @throws {InputError} Naming the field, and what would do.
 */
export function checkPolicyFields(name: string, policy: unknown, of = name): void {
  checkOptions(name, policy, POLICY);
  for (const [param, value] of Object.entries((policy as Policy).params)) {
    checkValue(`parameter "${param}" of ${of}`, value, either(text, number));
  }
}

/** Names of a run's options. */
export const optionNames: readonly string[] = Object.keys(OPTIONS);
