import { optionNames } from "../../run/plan/check_options.ts";
import type { BenchmarkOptions } from "../../run/plan/options.ts";
import type { Flags } from "./types.ts";

/** Returns the flags that are options of a run. */
export function optionsOf(flags: Flags): Pick<Flags, keyof Flags & keyof BenchmarkOptions> {
  const names = optionNames.filter((name) => Object.hasOwn(flags, name)) as (keyof Flags)[];
  return Object.fromEntries(names.map((name) => [name, flags[name]])) as ReturnType<typeof optionsOf>;
}
