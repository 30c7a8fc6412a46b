import { acrossPositions, type Configuration } from "../run/plan/configuration.ts";
import type { Policy } from "../policies/policy.ts";
import { type MethodName, methods } from "../policies/registry.ts";
import { PAPER_METHODS } from "./flags/effects.ts";
import type { Flags } from "./flags/types.ts";

/** A configuration and the size of its control group; undefined where the size is not fixed. */
interface Planned extends Configuration {
  readonly control?: number;
}

/**
 * Returns what a run measures, in the order of the table. The baseline comes first, then each configuration of the
 * method. The control group of a size comes before its first configuration, once. Each is repeated for every value of
 * `--positions`.
 *
 * @example
 * ```ts
 * import { expand } from "./expand.ts";
 * import { parseFlags } from "./flags/parse.ts";
 *
 * const flags = parseFlags(["--recent_sizes", "252,508"]);
 * console.log(expand(flags).map(({ name }) => name).join(" "));
 * // baseline recent_only_256 streaming_256 recent_only_512 streaming_512
 * ```
 *
 * @param flags What the command line says.
 * @returns At least one configuration, with unique names.
 */
export function expand(flags: Flags): Configuration[] {
  const planned = flags.compare_all
    ? [...comparison(512, true), ...comparison(1024, true)]
    : flags.compare_new
    ? comparison(512, false)
    : flags.compare_papers
    ? flags.cache_sizes.flatMap((size) => papers(size, flags))
    : EXPANSIONS[flags.method](flags);
  const run = new Map<string, Configuration>();
  const add = (name: string, policy: Policy) => run.has(name) || run.set(name, { name, policy });
  if (!flags.no_baseline) add("baseline", methods.baseline());
  for (const { name, policy, control } of planned) {
    if (control !== undefined && !flags.no_recent_only) {
      add(`recent_only_${control}`, methods.recent_only({ window_size: control }));
    }
    add(name, policy);
  }
  return acrossPositions([...run.values()], flags.positions);
}

/** Turns flags into a method's configurations. */
const EXPANSIONS: Readonly<Record<MethodName, (flags: Flags) => Planned[]>> = {
  baseline: () => [{ name: "baseline", policy: methods.baseline() }],
  recent_only: ({ window_sizes }) =>
    window_sizes.map((window_size) => ({
      name: `recent_only_${window_size}`,
      policy: methods.recent_only({ window_size }),
    })),
  streaming_llm: ({ start_size, recent_sizes }) =>
    recent_sizes.map((recent_size) => {
      const control = start_size + recent_size;
      return { name: `streaming_${control}`, policy: methods.streaming_llm({ start_size, recent_size }), control };
    }),
  fix_size_l2: ({ fix_kv_sizes, strategies, keep_ratios }) =>
    fix_kv_sizes.flatMap((fix_kv_size) =>
      strategies.flatMap((strategy) =>
        keep_ratios.map((keep_ratio) => ({
          name: `fix${fix_kv_size}_${strategy}_kr=${ratioName(keep_ratio, keep_ratios)}`,
          policy: methods.fix_size_l2({ fix_kv_size, strategy, keep_ratio }),
          control: fix_kv_size,
        }))
      )
    ),
  l2_compress: ({ keep_ratios, prune_after, no_baseline }) =>
    // A ratio of 1 never drops anything: with a baseline, the full cache would be measured twice.
    keep_ratios.filter((keep_ratio) => keep_ratio < 1 || no_baseline).map((keep_ratio) => ({
      name: `l2_kr=${ratioName(keep_ratio, keep_ratios)}`,
      policy: methods.l2_compress({ keep_ratio, prune_after }),
    })),
  h2o_l2: ({ start_size, heavy_hitter_sizes, h2o_recent_size: recent_size }) =>
    heavy_hitter_sizes.map((heavy_hitter_size) => {
      const control = start_size + heavy_hitter_size + recent_size;
      const policy = methods.h2o_l2({ start_size, heavy_hitter_size, recent_size });
      return { name: `h2o_l2_${control}`, policy, control };
    }),
  snapkv_lite: ({ snapkv_keep_sizes, observation_windows }) =>
    snapkv_keep_sizes.flatMap((keep_size) =>
      observation_windows.map((observation_window) => ({
        name: `snapkv_${keep_size}_obs${observation_window}`,
        policy: methods.snapkv_lite({ keep_size, observation_window }),
        control: keep_size,
      }))
    ),
  pyramid_kv: ({ base_sizes, layer_decay, min_size, pyramid_profile: profile }) =>
    base_sizes.map((base_size) => ({
      name: `pyramid_${base_size}`,
      policy: methods.pyramid_kv({ base_size, layer_decay, min_size, profile }),
      control: base_size,
    })),
  adaptive_l2: ({ target_sizes, soft_limit, hard_limit }) =>
    target_sizes.map((target_size) => ({
      name: `adaptive_${target_size}`,
      policy: methods.adaptive_l2({ target_size, soft_limit, hard_limit }),
      control: target_size,
    })),
  h2o: byCacheSize("h2o"),
  tova: byCacheSize("tova"),
  snapkv: byCacheSize("snapkv"),
  pyramid_snapkv: byCacheSize("pyramid_snapkv"),
  keydiff: byCacheSize("keydiff"),
};

type PaperMethod = typeof PAPER_METHODS[number];

/** Makes a configuration for each of `--cache_sizes`, with the control group of its size. */
function byCacheSize(method: PaperMethod): (flags: Flags) => Planned[] {
  return (flags) => flags.cache_sizes.map((size) => PAPERS[method](size, flags));
}

/**
 * Turns a size and flags into a method's configuration. snapkv's name differs from the name of snapkv_lite in the
 * Python benchmark.
 */
const PAPERS: Readonly<Record<PaperMethod, (size: number, flags: Flags) => Planned>> = {
  h2o: (size, { heavy_ratio, sink_size: start_size }) => {
    const heavy_size = Math.trunc(size * heavy_ratio);
    const policy = methods.h2o({ start_size, heavy_size, recent_size: size - start_size - heavy_size });
    return { name: `h2o_${size}`, policy, control: size };
  },
  tova: (size) => ({ name: `tova_${size}`, policy: methods.tova({ cache_size: size }), control: size }),
  snapkv: (size, flags) => ({
    name: `snapkv_attention_${size}`,
    policy: methods.snapkv(votes(size, flags)),
    control: size,
  }),
  pyramid_snapkv: (size, flags) => ({
    name: `pyramid_snapkv_${size}`,
    policy: methods.pyramid_snapkv({ ...votes(size, flags), beta: flags.pyramid_beta }),
    control: size,
  }),
  keydiff: (size, { keydiff_recent_ratio }) => ({
    name: `keydiff_${size}`,
    policy: methods.keydiff({ cache_size: size, recent_size: Math.trunc(size * keydiff_recent_ratio) }),
    control: size,
  }),
};

/**
 * Settings shared by snapkv and pyramid_snapkv. The paper's code averages over 5 neighbours, or takes the maximum of 7.
 */
function votes(cache_size: number, { query_window, pooling, pooling_kernel }: Flags) {
  return {
    cache_size,
    observation_window: query_window,
    pooling,
    pooling_kernel: pooling_kernel ?? (pooling === "max" ? 7 : 5),
  };
}

/** The papers' methods at one size, and a random choice whose recent half is as large as h2o's. */
function papers(size: number, flags: Flags): Planned[] {
  const { start_size } = flags;
  const streaming = methods.streaming_llm({ start_size, recent_size: size - start_size });
  const random = methods.fix_size_l2({ fix_kv_size: size, keep_ratio: 0.5, strategy: "random" });
  return [
    { name: `streaming_${size}`, policy: streaming, control: size },
    { name: `random_${size}`, policy: random, control: size },
    ...PAPER_METHODS.map((method) => PAPERS[method](size, flags)),
  ];
}

/** The methods at one size: `all` of them, or only the four of `--compare_new`. */
function comparison(size: 512 | 1024, all: boolean): Planned[] {
  const large = size === 1024;
  const heavy_hitter_size = large ? 128 : 64;
  const policies: Record<string, Policy> = {
    recent_only: methods.recent_only({ window_size: size }),
    streaming: methods.streaming_llm({ start_size: 4, recent_size: size - 4 }),
    h2o_l2: methods.h2o_l2({ start_size: 4, heavy_hitter_size, recent_size: size - 4 - heavy_hitter_size }),
    snapkv: methods.snapkv_lite({ observation_window: large ? 64 : 32, keep_size: size }),
    pyramid: methods.pyramid_kv({ base_size: size, layer_decay: 0.9, min_size: large ? 128 : 64 }),
    adaptive: methods.adaptive_l2({
      target_size: size,
      soft_limit: large ? 512 : 256,
      hard_limit: large ? 2048 : 1024,
    }),
    fix_l2: methods.fix_size_l2({ fix_kv_size: size, keep_ratio: 0.5, strategy: "keep_low" }),
  };
  // recent_only is the control group of the others: added with them, left out by --no_recent_only.
  return Object.entries(policies)
    .filter(([name]) => name !== "recent_only" && (all || ["h2o_l2", "snapkv", "pyramid", "adaptive"].includes(name)))
    .map(([name, policy]) => ({ name: `${name}_${size}`, policy, control: size }));
}

/**
 * Writes a ratio with one decimal, as the Python benchmark does; in full if two of the list would then read the same.
 */
function ratioName(ratio: number, among: readonly number[]): string {
  const short = oneDecimal(ratio);
  return among.some((other) => other !== ratio && oneDecimal(other) === short) ? String(ratio) : short;
}

/** Rounds as Python's `{:.1f}`: a tie goes to the even digit. Up to 1, only 0.25 and 0.75 are ties. */
function oneDecimal(ratio: number): string {
  return ratio === 0.25 ? "0.2" : ratio.toFixed(1);
}
