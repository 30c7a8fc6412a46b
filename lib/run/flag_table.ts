import { STRATEGIES } from "../policies/fix_size_l2.ts";
import { PROFILES } from "../policies/pyramid_kv.ts";
import { type MethodName, methodNames } from "../policies/registry.ts";
import type { Undecided } from "./device_defaults.ts";
import { choice, choiceSoFar, integer, listOf, noneOr, ratio, type Reader, text } from "./flag_values.ts";

/** The model that comes with the project. */
export const EMBEDDED_MODEL_ID = "novel-neox-8m";

/** What the command line says, defaults filled in except those that depend on the device. */
export interface Flags extends Undecided {
  model_id: string;
  dataset: string;
  method: MethodName;
  compare_all: boolean;
  compare_new: boolean;
  no_baseline: boolean;
  no_recent_only: boolean;
  skip_layers: readonly number[];
  positions: "absolute";
  seed: number;
  device: "auto" | "cuda" | "cpu";
  dtype: "auto" | "float32" | "float16" | "bfloat16";
  attention: "auto" | "fused" | "explicit";
  window_sizes: readonly number[];
  start_size: number;
  recent_sizes: readonly number[];
  keep_ratios: readonly number[];
  fix_kv_sizes: readonly number[];
  strategies: readonly string[];
  prune_after: number;
  heavy_hitter_sizes: readonly number[];
  h2o_recent_size: number;
  observation_windows: readonly number[];
  snapkv_keep_sizes: readonly number[];
  base_sizes: readonly number[];
  layer_decay: number;
  min_size: number;
  pyramid_profile: string;
  target_sizes: readonly number[];
  soft_limit: number;
  hard_limit: number;
  output: string;
  json: boolean;
  help: boolean;
  version: boolean;
  /** What was given and has no effect, one line each. */
  warnings: readonly string[];
}

/** Name of a flag, with underscores. */
export type FlagName = Exclude<keyof Flags, "warnings">;

/** One flag: how it is read, and what the help says of it. */
export interface FlagSpec<T> {
  /** Heading of the help it stands under. */
  readonly group: string;
  /** What it does; the default is added to it. */
  readonly help: string;
  /** What stands for the value in the help; left out for a switch. */
  readonly value?: string;
  /** Reads the value; left out for a switch. */
  readonly read?: Reader<T>;
  /** Its value where it is not given; undefined where that depends on the device. */
  readonly default: T;
  /** The methods it belongs to, where not to all. */
  readonly methods?: readonly MethodName[];
  /** Its one-letter form. */
  readonly short?: string;
}

const size = integer(1);
const sizes = listOf(size);
const list = (read: Reader<readonly number[]>, fallback: readonly number[]) =>
  ({ value: "LIST", read, default: fallback }) as const;
const count = (read: Reader<number>, fallback: number) => ({ value: "N", read, default: fallback }) as const;
const byDevice = (min: number, why?: string) => ({ value: "N", read: integer(min, why), default: undefined }) as const;
const off = { default: false } as const;

const WHAT = "What to run";
const LENGTH = "How much to measure";
const MACHINE = "On what";
const OUT = "Output";

/** Every flag, in the order of the help. The parser, the help and the defaults all come from here. */
export const FLAG_TABLE: { readonly [K in FlagName]: FlagSpec<Flags[K]> } = {
  model_id: { group: WHAT, help: "Hugging Face model folder", value: "DIR", read: text, default: EMBEDDED_MODEL_ID },
  dataset: { group: WHAT, help: "moby_dick, or a UTF-8 .txt file", value: "NAME", read: text, default: "moby_dick" },
  method: {
    group: WHAT,
    help: `one of ${methodNames.join(", ")}`,
    value: "NAME",
    read: choice(methodNames),
    default: "streaming_llm",
  },
  compare_all: { group: WHAT, help: "every method with a fixed size, at 512 and 1024 entries", ...off },
  compare_new: { group: WHAT, help: "h2o_l2, snapkv_lite, pyramid_kv and adaptive_l2, at 512 entries", ...off },
  no_baseline: { group: WHAT, help: "leave out the full cache", ...off },
  no_recent_only: { group: WHAT, help: "leave out the control group of each size", ...off },
  skip_layers: { group: WHAT, help: "layers never compressed, or none", ...list(noneOr(listOf(integer(0))), [0, 1]) },
  positions: {
    group: WHAT,
    help: "how tokens are numbered: absolute, by their place in the text",
    value: "NAME",
    read: choiceSoFar(["absolute"], ["cache", "seed"]),
    default: "absolute",
  },
  seed: { group: WHAT, help: "of what is drawn at random", ...count(integer(0), 0) },

  num_samples: { group: LENGTH, help: "text samples", ...byDevice(1) },
  max_tokens: { group: LENGTH, help: "tokens of the quality pass", ...byDevice(1) },
  max_new_tokens: {
    group: LENGTH,
    help: "tokens generated in the speed pass",
    ...byDevice(2, "the time per output token is that of the tokens after the first"),
  },
  prompt_tokens: { group: LENGTH, help: "tokens of the speed pass's prompt", ...byDevice(1) },
  num_warmup: { group: LENGTH, help: "runs before the clock starts", ...byDevice(0) },

  device: {
    group: MACHINE,
    help: "auto, cuda or cpu",
    value: "NAME",
    read: choice(["auto", "cuda", "cpu"]),
    default: "auto",
  },
  dtype: {
    group: MACHINE,
    help: "auto, float32, float16 or bfloat16",
    value: "NAME",
    read: choice(["auto", "float32", "float16", "bfloat16"]),
    default: "auto",
  },
  attention: {
    group: MACHINE,
    help: "auto, fused or explicit: one kernel, or MatMul, Softmax, MatMul",
    value: "NAME",
    read: choice(["auto", "fused", "explicit"]),
    default: "auto",
  },

  window_sizes: {
    group: "recent_only",
    help: "entries kept",
    ...list(sizes, [256, 512, 1024]),
    methods: ["recent_only"],
  },
  start_size: {
    group: "streaming_llm, h2o_l2",
    help: "first entries kept (attention sinks)",
    ...count(integer(0), 4),
    methods: ["streaming_llm", "h2o_l2"],
  },
  recent_sizes: {
    group: "streaming_llm",
    help: "last entries kept",
    ...list(sizes, [252, 508, 1020]),
    methods: ["streaming_llm"],
  },
  keep_ratios: {
    group: "fix_size_l2, l2_compress",
    help: "fix_size_l2: share of the size that is recent; l2_compress: share kept",
    ...list(listOf(ratio), [0.8, 0.5, 0.3]),
    methods: ["fix_size_l2", "l2_compress"],
  },
  fix_kv_sizes: { group: "fix_size_l2", help: "entries kept", ...list(sizes, [256, 512]), methods: ["fix_size_l2"] },
  strategies: {
    group: "fix_size_l2",
    help: `what is kept beside the recent: ${Object.keys(STRATEGIES).join(", ")}`,
    value: "LIST",
    read: listOf(choice(Object.keys(STRATEGIES))),
    default: ["keep_low"],
    methods: ["fix_size_l2"],
  },
  prune_after: {
    group: "l2_compress",
    help: "entries up to which nothing is dropped",
    ...count(size, 100),
    methods: ["l2_compress"],
  },
  heavy_hitter_sizes: {
    group: "h2o_l2",
    help: "entries kept by key norm",
    ...list(sizes, [32, 64, 128]),
    methods: ["h2o_l2"],
  },
  h2o_recent_size: { group: "h2o_l2", help: "last entries kept", ...count(size, 444), methods: ["h2o_l2"] },
  observation_windows: {
    group: "snapkv_lite",
    help: "last entries kept",
    ...list(sizes, [16, 32, 64]),
    methods: ["snapkv_lite"],
  },
  snapkv_keep_sizes: { group: "snapkv_lite", help: "entries kept", ...list(sizes, [512]), methods: ["snapkv_lite"] },
  base_sizes: {
    group: "pyramid_kv",
    help: "entries kept in the first layer",
    ...list(sizes, [256, 512]),
    methods: ["pyramid_kv"],
  },
  layer_decay: {
    group: "pyramid_kv",
    help: "factor from layer to layer, exponential only",
    value: "X",
    read: ratio,
    default: 0.9,
    methods: ["pyramid_kv"],
  },
  min_size: { group: "pyramid_kv", help: "entries every layer may keep", ...count(size, 64), methods: ["pyramid_kv"] },
  pyramid_profile: {
    group: "pyramid_kv",
    help: `how sizes fall over the layers: ${Object.keys(PROFILES).join(", ")}`,
    value: "NAME",
    read: choice(Object.keys(PROFILES)),
    default: "exponential",
    methods: ["pyramid_kv"],
  },
  target_sizes: {
    group: "adaptive_l2",
    help: "entries kept once over the hard limit",
    ...list(sizes, [256, 512]),
    methods: ["adaptive_l2"],
  },
  soft_limit: {
    group: "adaptive_l2",
    help: "entries up to which nothing is dropped",
    ...count(size, 256),
    methods: ["adaptive_l2"],
  },
  hard_limit: {
    group: "adaptive_l2",
    help: "entries over which the target size holds",
    ...count(size, 1024),
    methods: ["adaptive_l2"],
  },

  output: {
    group: OUT,
    help: "folder that the run's own folder is made in",
    value: "DIR",
    read: text,
    default: "results",
  },
  json: { group: OUT, help: "print results.json on stdout instead of the table", ...off },
  help: { group: OUT, help: "print this and stop", short: "h", ...off },
  version: { group: OUT, help: "print the version and stop", short: "V", ...off },
};

/** Names of all flags, in the order of the help. */
export const flagNames: readonly FlagName[] = Object.keys(FLAG_TABLE) as FlagName[];
