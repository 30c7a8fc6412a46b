import { randomAtBudget } from "../methods/fix_size_l2.ts";
import type { Budget } from "../policies/budget.ts";
import { acrossPositions, type Configuration } from "../run/plan/configuration.ts";
import { type Controlled, expandAt } from "./expand_at.ts";
import type { Planned } from "../methods/method_record.ts";
import { RECORDS } from "../methods/records.ts";
import type { Policy } from "../policies/policy.ts";
import { type MethodName, methods } from "../policies/registry.ts";
import { PAPER_METHODS } from "./flags/effects.ts";
import type { Flags } from "./flags/types.ts";
import { InputError } from "../util/errors.ts";
import { suggest } from "../util/suggest.ts";

/**
 * Returns what a run measures, in the order of the table. The baseline comes first, then each configuration of each
 * method; with `--budget`, those of all methods at one budget, then at the next. The control group of a size or a budget
 * comes before its first configuration, once. Each is repeated for every value of `--positions`.
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
  const planned: readonly Controlled[] = flags.budget !== undefined
    ? flags.budget.flatMap((budget) => expandAt(budget, flags))
    : flags.compare_all
    ? [...comparison(512, true), ...comparison(1024, true)]
    : flags.compare_new
    ? comparison(512, false)
    : flags.compare_papers
    ? flags.cache_sizes.flatMap((size) => papers(size, flags))
    : flags.method.flatMap((method) => RECORDS[method].expand(flags));
  const run = new Map<string, Configuration>();
  const add = (configuration: Configuration) => {
    if (!run.has(configuration.name)) run.set(configuration.name, configuration);
  };
  if (!flags.no_baseline) add({ name: "baseline", policy: methods.baseline() });
  if (flags.aa) add({ name: "baseline_again", policy: methods.baseline() });
  for (const { control, ...configuration } of planned) {
    if (control !== undefined && !flags.no_recent_only) add(controlOf(control, configuration.budget));
    add(configuration);
  }
  return chosen(acrossPositions([...run.values()], flags.positions), flags.only);
}

/** Leaves out what `--only` does not name. */
function chosen<C extends Configuration>(all: C[], only: readonly string[] | undefined): C[] {
  if (only === undefined) return all;
  const names = all.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown === undefined) return all.filter(({ name }) => name === "baseline" || only.includes(name));
  const near = suggest(unknown, names);
  const remedy = near === undefined ? `give some of ${names.join(", ")}` : `did you mean ${near}?`;
  throw new InputError(`Cannot use --only ${unknown}: the other flags ask for no such configuration; ${remedy}`);
}

/** The control group of a size or a budget. */
function controlOf(control: Budget, budget: Budget | undefined): Configuration {
  const name = `recent_only_${control}`;
  const policy = (window_size: number) => methods.recent_only({ window_size });
  return budget === undefined ? { name, policy: policy(Number(control)) } : { name, policy, budget };
}

/** The papers' methods at one size, and a random choice whose recent half is as large as h2o's. */
function papers(size: number, flags: Flags): Planned[] {
  const of = (method: MethodName) => RECORDS[method].atCacheSize!(size, flags);
  return [
    of("streaming_llm"),
    { name: `random_${size}`, policy: randomAtBudget(size), control: size },
    ...PAPER_METHODS.map(of),
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
