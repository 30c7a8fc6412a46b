import { expand } from "../../cli/expand.ts";
import { parseCommandLine } from "../../cli/flags/parse.ts";
import type { Flags } from "../../cli/flags/types.ts";
import { planFlag } from "./plan_flags.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { canonical, identityOf, shortHash } from "./identity.ts";
import { isJoined, isOfConfigurations } from "./plan_flags.ts";
import { pointsOf } from "./points.ts";
import type { AxisValue, Plan, PlannedCell, PlannedJob } from "./types.ts";

/** The jobs of a plan, and what the user should know of it. */
export interface PlannedJobs {
  /** In a fixed order: the same plan has the same jobs everywhere. */
  readonly jobs: readonly PlannedJob[];
  /** Warnings, each once. */
  readonly notes: readonly string[];
}

/** Name of the configuration that the others are compared with: measured in every job, and seldom a cell. */
const BASELINE = "baseline";

/**
 * Returns the jobs of a plan. Combinations that differ only in methods, sizes, budgets and numberings of tokens share a
 * job, so that their baseline is measured once and their times are compared round by round; `plan.chunk` splits it.
 * Opens nothing.
 *
 * @example
 * ```ts
 * import { checkPlan } from "./read_plan.ts";
 * import { planJobs } from "./plan_jobs.ts";
 *
 * const grid = { method: ["tova", "h2o"], budget: [64, 128], dtype: ["float32", "float16"] };
 * const { jobs } = planJobs(checkPlan({ grid }, "plan.json"));
 * console.log(jobs.length, jobs[0]?.cells.map(({ name }) => name).join(" "));
 * // 2 recent_only_64 tova_64 h2o_64 recent_only_128 tova_128 h2o_128
 * ```
 *
 * @param plan From {@linkcode readPlan}.
 * @param path The plan's file, for messages.
 * @throws {InputError} Naming the file, for flags that do not go together.
 */
export function planJobs(plan: Plan, path: string = plan.name): PlannedJobs {
  const { points, notes } = pointsOf(plan);
  const warnings = new Set(notes);
  const groups = new Map<string, Group>();
  for (const point of points) {
    const { flags, configurations } = expandPoint(point, path);
    for (const warning of flags.warnings) warnings.add(warning);
    const key = canonical(groupKey(point));
    const group: Group = groups.get(key) ?? { points: [], wanted: new Map() };
    groups.set(key, group);
    group.points.push(point);
    for (const { name, configuration } of configurations) {
      const id = canonical(configuration);
      if (name !== BASELINE || flags.method.includes(BASELINE)) group.wanted.set(id, name);
    }
  }
  const jobs: PlannedJob[] = [];
  const known = new Set<string>();
  for (const group of groups.values()) {
    const { terms, flags, cells } = jobOf(group, path);
    // A control group may belong to several jobs: the first one measures it.
    const own = cells.filter(({ id }) => !known.has(id));
    for (const { id } of own) known.add(id);
    const chunk = plan.chunk ?? Infinity;
    for (let i = 0; i < own.length; i += chunk) {
      const part = own.slice(i, i + chunk);
      const id = shortHash({ flags, cells: part.map(({ id }) => id) });
      jobs.push({ index: jobs.length, id, terms, flags, cells: part });
    }
  }
  return { jobs, notes: [...warnings] };
}

/** Combinations of one job. */
interface Group {
  readonly points: AxisValue[];
  /** Configurations that they ask for, by what distinguishes them, with their names. */
  readonly wanted: Map<string, string>;
}

/** What combinations of one job have in common: the texts of some flags, and that others are given. */
function groupKey(point: AxisValue): Record<string, string | true> {
  return Object.fromEntries(Object.entries(point).map(([flag, text]) => [flag, isJoined(flag) ? true : text]));
}

/** Joins the combinations of a job to the flags of one run. */
function jobOf({ points, wanted }: Group, path: string) {
  const flags: Record<string, string> = {};
  for (const flag of Object.keys(points[0]!)) {
    flags[flag] = [...new Set(points.map((point) => point[flag]!))].join(",");
  }
  const terms = Object.fromEntries(Object.entries(flags).filter(([flag]) => !isOfConfigurations(flag)));
  const cells: PlannedCell[] = [];
  for (const { name: nameInJob, configuration } of expandPoint(flags, path).configurations) {
    const name = wanted.get(canonical(configuration));
    if (name === undefined || cells.some((cell) => cell.nameInJob === nameInJob)) continue;
    cells.push({ id: shortHash({ terms: meaningOf(terms), configuration }), name, nameInJob, configuration });
  }
  return { terms, flags, cells };
}

/** What `bench` would measure with these flags. */
function expandPoint(point: AxisValue, path: string) {
  const argv = argumentsOf(point);
  try {
    const { flags } = parseCommandLine(argv);
    const configurations = expand(flags).map((one) => ({ name: one.name, configuration: identityOf(one as Numbered) }));
    return { flags: flags as Flags, configurations };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`Cannot use ${path}: ${error.message}; in ${printable(argv.join(" "), 300)}`, {
      cause: error,
    });
  }
}

/** `expand()` gives every configuration its numbering. */
type Numbered = Parameters<typeof identityOf>[0];

/**
 * Returns the command line of flags.
 *
 * @example
 * ```ts
 * import { argumentsOf } from "./plan_jobs.ts";
 *
 * console.log(argumentsOf({ method: "tova,h2o", aa: "true" })); // [ "--method=tova,h2o", "--aa=true" ]
 * ```
 *
 * @param flags Texts by name.
 */
export function argumentsOf(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).map(([flag, text]) => `--${flag}=${text}`);
}

/**
 * The meaning of terms: another word for the same value makes no other cell, nor does giving a default.
 *
 * @example
 * ```ts
 * import { meaningOf } from "./plan_jobs.ts";
 *
 * console.log(meaningOf({ dtype: "fp16", seed: "0" })); // { dtype: "float16" }
 * ```
 */
export function meaningOf(terms: Readonly<Record<string, string>>): Record<string, unknown> {
  const meanings = Object.entries(terms).map(([flag, text]) => {
    const spec = planFlag(flag)!;
    return [flag, spec.read === undefined ? text === "true" : spec.read(flag, text), spec.default] as const;
  });
  return Object.fromEntries(
    meanings.filter(([, value, fallback]) => canonical(value) !== canonical(fallback)).map((
      [flag, value],
    ) => [flag, value]),
  );
}
