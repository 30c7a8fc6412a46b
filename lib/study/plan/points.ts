import { InputError } from "../../util/errors.ts";
import { planFlag } from "./plan_flags.ts";
import type { AxisValue, Grid, Plan } from "./types.ts";

/** Most combinations of a plan. */
const MOST = 100_000;

/** Every combination of a plan: flags by name. */
export interface Points {
  /** Those that are left, each once. */
  readonly points: readonly AxisValue[];
  /** What the user should know of the plan. */
  readonly notes: readonly string[];
}

/**
 * Returns the combinations of a plan: of each grid, one value of every axis, over the defaults, without what is
 * excluded. The last axis changes fastest.
 *
 * @example
 * ```ts
 * import { pointsOf } from "./points.ts";
 *
 * const grid = [{ method: [{ method: "tova" }, { method: "h2o" }], budget: [{ budget: "64" }, { budget: "128" }] }];
 * const exclude = [{ method: ["h2o"], budget: ["64"] }];
 * const { points } = pointsOf({ name: "a", defaults: { seed: "1" }, grid, exclude });
 * console.log(points.length, points[0]); // 3 { seed: "1", method: "tova", budget: "64" }
 * ```
 *
 * @param plan The plan.
 * @throws {InputError} If there are none, or more than 100,000.
 */
export function pointsOf({ name, defaults, grid, exclude }: Plan): Points {
  const points = new Map<string, AxisValue>();
  const hits = exclude.map(() => 0);
  for (const one of grid) {
    const count = Object.values(one).reduce((product, values) => product * values.length, 1);
    if (count + points.size > MOST) {
      throw new InputError(`Cannot use the plan ${name}: it has more than ${MOST} combinations; split it`);
    }
    for (const value of product(one)) {
      const point = { ...defaults, ...value };
      const matching = exclude.map((pattern) => matches(point, pattern));
      matching.forEach((isMatch, i) => hits[i]! += isMatch ? 1 : 0);
      const key = JSON.stringify(Object.entries(point).sort(([a], [b]) => a < b ? -1 : 1));
      if (!matching.includes(true) && !points.has(key)) points.set(key, point);
    }
  }
  if (points.size === 0) throw new InputError(`Cannot use the plan ${name}: exclude leaves out all combinations`);
  const notes = hits.flatMap((hit, i) => hit > 0 ? [] : [`exclude[${i}] of the plan leaves out nothing`]);
  return { points: [...points.values()], notes };
}

function* product(grid: Grid): Generator<AxisValue> {
  const [axis, ...others] = Object.keys(grid);
  if (axis === undefined) return yield {};
  const { [axis]: values, ...rest } = grid;
  if (others.length === 0) return yield* values!;
  for (const value of values!) for (const more of product(rest)) yield { ...value, ...more };
}

/** Whether a combination has, for every key of a pattern, one of its values. */
function matches(point: AxisValue, pattern: Readonly<Record<string, readonly string[]>>): boolean {
  return Object.entries(pattern).every(([flag, texts]) => {
    const own = point[flag] === undefined ? shown(planFlag(flag)?.default) : meaning(flag, point[flag]);
    return texts.some((text) => meaning(flag, text) === own);
  });
}

/** A text's meaning: "fp16" and "float16" are the same. */
function meaning(flag: string, text: string): string {
  const read = planFlag(flag)?.read;
  return shown(read === undefined ? text === "true" : read(flag, text));
}

/** A list of one is that one. */
function shown(value: unknown): string {
  return JSON.stringify(Array.isArray(value) && value.length === 1 ? value[0] : value) ?? "";
}
