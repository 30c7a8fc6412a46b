import { EMBEDDED_MODEL_ID } from "../../run/plan/find_model.ts";
import { count, list } from "../../methods/method_record.ts";
import { METHOD_FLAGS } from "../../methods/records.ts";
import { POSITIONS } from "../../engine/numbering.ts";
import { methodNames } from "../../policies/registry.ts";
import { budgets } from "./budget_flag.ts";
import { type FlagName, type Flags, OUTPUT_FORMATS } from "./types.ts";
import type { FlagSpec } from "../../flags/spec.ts";
import { machineFlags } from "./machine_flags.ts";
import { modelFlags } from "./model_flags.ts";
import { textFlags } from "./text_flags.ts";
import { integers } from "../../flags/ranges.ts";
import { choice, integer, listOf, noneOr, text } from "../../flags/values.ts";

const size = integer(1);
const byDevice = (min: number, why?: string) => ({ value: "N", read: integer(min, why), default: undefined }) as const;
const off = { default: false } as const;

const WHAT = "What to run";
const LENGTH = "How much to measure";
const MACHINE = "On what";
const OUT = "Output";

/** Every flag, in the order of the help. The parser, the help and the defaults are all made from it. */
export const FLAG_TABLE: { readonly [K in FlagName]: FlagSpec<Flags[K]> } = {
  ...modelFlags(WHAT, EMBEDDED_MODEL_ID),
  ...textFlags(WHAT),
  method: {
    group: WHAT,
    help: `one or several of ${methodNames.join(", ")}`,
    value: "LIST",
    read: listOf(choice(methodNames)),
    default: ["streaming_llm"],
  },
  compare_all: { group: WHAT, help: "streaming_llm and the methods by key norm, at 512 and 1024 entries", ...off },
  compare_new: { group: WHAT, help: "h2o_l2, snapkv_lite, pyramid_kv and adaptive_l2, at 512 entries", ...off },
  compare_papers: {
    group: WHAT,
    help: "streaming_llm, a random choice, h2o, tova, snapkv, pyramid_snapkv and keydiff, at --cache_sizes",
    ...off,
  },
  budget: {
    group: WHAT,
    help:
      "what each method holds at the end of the quality pass, in place of its own sizes: entries a layer, such as " +
      "128; or a share of the full cache's bytes, such as 25%, skipped layers included",
    value: "LIST",
    read: budgets,
    default: undefined,
    defaultText: "each method's own sizes",
  },
  only: {
    group: WHAT,
    help: "of the configurations that the other flags ask for, measure those with these names; the full cache is " +
      "measured as well",
    value: "LIST",
    read: listOf(text),
    default: undefined,
    defaultText: "all of them",
  },
  no_baseline: { group: WHAT, help: "leave out the full cache", ...off },
  no_recent_only: { group: WHAT, help: "leave out the control group of each size", ...off },
  aa: {
    group: WHAT,
    help: "measure the full cache twice, to see which differences are noise: the second row is baseline_again",
    ...off,
  },
  skip_layers: { group: WHAT, help: "layers never compressed, or none", ...list(noneOr(integers(0)), [0, 1]) },
  positions: {
    group: WHAT,
    help: "how tokens are numbered: absolute, by position in the text; cache, by position in the cache; seed, as " +
      "the Python benchmark did. With several, each is measured",
    value: "LIST",
    read: listOf(choice(POSITIONS)),
    default: ["absolute"],
  },
  seed: { group: WHAT, help: "seed of every random choice", ...count(integer(0), 0) },

  passes: {
    group: LENGTH,
    help: "which passes to make: speed, quality or both",
    value: "NAME",
    read: choice(["speed", "quality", "both"]),
    default: "both",
  },
  num_samples: {
    group: LENGTH,
    help: "text samples; on CUDA with more than 8 configurations 1",
    ...byDevice(1),
  },
  max_tokens: { group: LENGTH, help: "tokens of the quality pass", ...byDevice(1) },
  max_new_tokens: {
    group: LENGTH,
    help: "tokens generated in the speed pass",
    ...byDevice(2, "the time per output token is measured on the tokens after the first"),
  },
  prompt_tokens: { group: LENGTH, help: "tokens of the speed pass's prompt", ...byDevice(1) },
  prefill_chunk: {
    group: LENGTH,
    help: "tokens of the speed pass's prompt per chunk; the method is applied after each chunk",
    value: "N",
    read: size,
    default: undefined,
    defaultText: "the whole prompt",
  },
  num_warmup: { group: LENGTH, help: "runs before the clock starts, in each process", ...byDevice(0) },
  repetitions: {
    group: LENGTH,
    help: "rounds of the speed pass: in each, every configuration is timed in a process of its own, in random order; " +
      "on CUDA with more than 8 configurations 2",
    ...byDevice(1),
  },
  successive: {
    group: LENGTH,
    help: "take samples of one text one after another; otherwise they are spread over it",
    ...off,
  },
  no_divergence: {
    group: LENGTH,
    help: "do not measure the distance from the full cache's next-token distributions",
    ...off,
  },

  ...machineFlags(MACHINE),
  attention: {
    group: MACHINE,
    help: "auto, fused or explicit: one kernel, or MatMul, Softmax, MatMul",
    value: "NAME",
    read: choice(["auto", "fused", "explicit"]),
    default: "auto",
  },

  ...METHOD_FLAGS,

  output: {
    group: OUT,
    help: "folder in which the run's own folder is made",
    value: "DIR",
    read: text,
    default: "results",
  },
  resume: {
    group: OUT,
    help: "resume the run in this folder, which ended early: measure what is missing. Its flags are reused; " +
      "the model, the text, the flags and the code must be the same",
    value: "DIR",
    read: text,
    default: undefined,
    defaultText: "a new run",
  },
  keep_failed: {
    group: OUT,
    help: "with --resume, do not measure again what has failed",
    ...off,
  },
  timeout: {
    group: OUT,
    help: "longest time of a process (a configuration's speed in one round, or its quality), seconds; if it takes " +
      "longer, the configuration is recorded as failed",
    value: "S",
    read: size,
    default: undefined,
    defaultText: "no limit",
  },
  configuration_timeout: {
    group: OUT,
    help: "longest time of all processes of a configuration together, seconds",
    value: "S",
    read: size,
    default: undefined,
    defaultText: "no limit",
  },
  trace: {
    group: OUT,
    help: "write and draw which text positions each layer and head holds at the end of the quality pass, for the " +
      "first sample; steps take a little longer",
    ...off,
  },
  trace_every: {
    group: OUT,
    help: "the same, every N tokens as well",
    value: "N",
    read: size,
    default: undefined,
    defaultText: "at the end only",
  },
  plot_nll: {
    group: OUT,
    help: "draw perplexity along the text; always drawn where the text is longer than the model's training length",
    ...off,
  },
  no_chart: { group: OUT, help: "draw no charts", ...off },
  format: {
    group: OUT,
    help: `how results are printed: ${OUTPUT_FORMATS.join(", ")}`,
    value: "NAME",
    read: choice(OUTPUT_FORMATS),
    default: undefined,
    defaultText: "a table for reading",
    short: "o",
  },
  memory: { group: OUT, help: "print where each configuration's memory goes, below the table", ...off },
  json: { group: OUT, help: "the same as --format json: print results.json on stdout instead of the table", ...off },
  help: { group: OUT, help: "print this and stop", short: "h", ...off },
  version: { group: OUT, help: "print the version and stop", short: "V", ...off },
};

/** Names of all flags, in the order of the help. */
export const flagNames: readonly FlagName[] = Object.keys(FLAG_TABLE) as FlagName[];
