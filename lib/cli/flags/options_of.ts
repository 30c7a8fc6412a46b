import { optionNames } from "../../run/plan/check_options.ts";
import type { BenchmarkOptions } from "../../run/plan/options.ts";
import { groupOf } from "./effects.ts";
import type { Flags } from "./types.ts";

/** Options of a run that flags set. */
export type FlagOptions =
  & Omit<Pick<Flags, keyof Flags & keyof BenchmarkOptions>, "method">
  & Pick<BenchmarkOptions, "method" | "divergence" | "chart">;

/**
 * Returns the options of a run that flags set, the run's name included: that of the group or of the method; left out
 * for several methods, whose run is named after all of them.
 */
export function optionsOf(flags: Flags): FlagOptions {
  const names = optionNames.filter((name) => name !== "method" && Object.hasOwn(flags, name)) as (keyof Flags)[];
  const group = groupOf(flags);
  const [method, another] = flags.method;
  return {
    ...Object.fromEntries(names.map((name) => [name, flags[name]])) as Omit<FlagOptions, "method">,
    ...(group !== undefined ? { method: group } : another === undefined && method !== undefined ? { method } : {}),
    divergence: !flags.no_divergence,
    chart: !flags.no_chart,
  };
}
