import { type PassGroup, tabulate } from "../../cache/schedule.ts";
import { checkPolicy } from "../../policies/check_policy.ts";
import type { Policy } from "../../policies/policy.ts";
import type { FloatType } from "../../util/dtype.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { MeasureRequest } from "../child/protocol.ts";
import { qualityPasses } from "../measure/quality.ts";
import { speedPasses } from "../measure/speed_passes.ts";
import { chooseAttention, chooseDtype } from "./choose.ts";
import type { RunInput } from "./input.ts";
import type { BenchmarkOptions } from "./options.ts";

/** The passes of each configuration, as its cache sees them. */
export interface Passes {
  readonly quality: readonly PassGroup[];
  readonly speed: readonly PassGroup[];
}

/** Returns the passes of a run. */
export function passesOf({ lengths }: RunInput, { prefill_chunk: chunk }: BenchmarkOptions): Passes {
  const { max_tokens, prompt_tokens: promptTokens, max_new_tokens: newTokens } = lengths;
  return { quality: qualityPasses(max_tokens), speed: speedPasses({ promptTokens, newTokens, chunk }) };
}

/** The most tokens of any text in any pass. */
export function longestText({ lengths: { max_tokens, prompt_tokens, max_new_tokens } }: RunInput): number {
  return Math.max(max_tokens, prompt_tokens + max_new_tokens);
}

/**
 * Makes the request to a child process to measure one configuration.
 *
 * @param configuration A policy under a name, and how tokens are numbered.
 * @param input What all configurations share.
 * @param options The options given.
 * @returns The request.
 * @throws {InputError} If the policy's sizes make no sense, or the type or form of attention asked for cannot run it.
 */
export function requestOf(
  configuration: {
    readonly name: string;
    readonly policy: Policy;
    readonly positions: Positions;
    readonly dtype?: FloatType;
  },
  input: RunInput,
  options: BenchmarkOptions,
): MeasureRequest {
  const { name, policy, positions } = configuration;
  const { model, found: { device }, samples, skipLayers, lengths } = input;
  const { kernels = "auto", seed = 0, attention = "auto", trace, trace_every, tokens } = options;
  const dtype = configuration.dtype === undefined
    ? input.dtype
    : chooseDtype(configuration.dtype, model, device, "--dtypes");
  const passes = passesOf(input, options);
  const reached = longestText(input);
  checkPolicy(policy, { layers: model.spec.layers, maxEntries: reached });
  return {
    type: "measure",
    name,
    model: model.export?.step.path ?? model.path,
    device,
    dtype,
    attention: chooseAttention(attention, dtype, model, device, configuration, reached),
    positions,
    kernels,
    table: tabulate(policy, model.spec, skipLayers, [passes.quality, passes.speed]),
    ...(policy.score ? { score: policy.score } : {}),
    ...(policy.attention ? { attentionUse: policy.attention } : {}),
    skipLayers,
    samples,
    maxTokens: lengths.max_tokens,
    promptTokens: lengths.prompt_tokens,
    prefillChunk: options.prefill_chunk,
    maxNewTokens: lengths.max_new_tokens,
    warmup: lengths.num_warmup,
    seed,
    ...(tokens ? { tokens } : {}),
    ...(trace || trace_every ? { trace: { every: trace_every ?? null } } : {}),
  };
}
