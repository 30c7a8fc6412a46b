import { basename, dirname, join, resolve } from "@std/path";
import { absolutePaths } from "../../cli/read_command.ts";
import { isThere } from "../../model/folder/files.ts";
import { EMBEDDED_MODEL_ID } from "../../run/plan/find_model.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { suggest } from "../../util/suggest.ts";
import { parseFile } from "./parse_file.ts";
import { isJoined, planFlag, planFlagNames, whyNot } from "./plan_flags.ts";
import type { AxisValue, Grid, Plan } from "./types.ts";
import { textOf, textsOf } from "./values.ts";

/** Keys of a plan. */
const KEYS = ["name", "chunk", "defaults", "grid", "exclude"] as const;

/**
 * Reads a plan file and checks each of its keys and values by the table of flags of `bench`. Models and texts that are
 * files are found from the plan's folder, then from the user's.
 *
 * @example
 * ```ts
 * import { readPlan } from "./read_plan.ts";
 *
 * const file = await Deno.makeTempFile({ suffix: ".yaml" });
 * await Deno.writeTextFile(file, "grid: { method: [tova, h2o], budget: 64-256*2 }");
 * const { grid } = await readPlan(file);
 * console.log(grid[0]?.budget?.map(({ budget }) => budget)); // [ "64", "128", "256" ]
 * await Deno.remove(file);
 * ```
 *
 * @param path The file: JSON with comments, or YAML.
 * @returns The plan.
 * @throws {InputError} Naming the file, the key and the value, and what would do.
 */
export async function readPlan(path: string): Promise<Plan> {
  const value = await parseFile(path);
  return checkPlan(value, path);
}

/**
 * Checks the content of a plan file.
 *
 * @example
 * ```ts
 * import { checkPlan } from "./read_plan.ts";
 *
 * console.log(checkPlan({ grid: { seed: "1-3" } }, "nights.yaml").name); // nights
 * ```
 *
 * @param value The content.
 * @param path The file's path, for messages, for a plan without a name, and for relative paths.
 * @throws {InputError} Naming the file, the key and the value, and what would do.
 */
export function checkPlan(value: unknown, path: string): Plan {
  return new PlanReader(path).read(value);
}

class PlanReader {
  constructor(readonly path: string) {}

  read(value: unknown): Plan {
    const plan = this.#object(value, "");
    for (const key of Object.keys(plan)) {
      if ((KEYS as readonly string[]).includes(key)) continue;
      const isFlag = planFlag(key) !== undefined;
      const near = suggest(key, KEYS);
      throw this.#fault(
        key,
        isFlag
          ? "it belongs into grid, or into defaults"
          : `there is no such key; ${near === undefined ? `a plan has ${KEYS.join(", ")}` : `did you mean ${near}?`}`,
      );
    }
    const name = plan.name ?? basename(this.path).replace(/\.[^.]*$/, "");
    if (typeof name !== "string" || !/^[A-Za-z0-9][\w.+-]{0,79}$/.test(name)) {
      throw this.#fault("name", `found ${shown(name)}, give letters, digits, ".", "_", "-" and "+", at most 80`);
    }
    const { chunk } = plan;
    if (chunk !== undefined && !(Number.isInteger(chunk) && chunk as number >= 1)) {
      throw this.#fault("chunk", `found ${shown(chunk)}, give the cells of a job at most, an integer of at least 1`);
    }
    const { defaults, axes } = this.#defaults(plan.defaults ?? {});
    const given = Array.isArray(plan.grid) ? plan.grid : [plan.grid ?? {}];
    if (given.length === 0) throw this.#fault("grid", "it is empty");
    const grid = given.map((one, i) => ({ ...axes, ...this.#grid(one, given.length > 1 ? `grid[${i}]` : "grid") }));
    const exclude = plan.exclude ?? [];
    if (!Array.isArray(exclude)) throw this.#fault("exclude", "give a list of combinations, each as { key: values }");
    return {
      name,
      ...(chunk === undefined ? {} : { chunk: chunk as number }),
      defaults,
      grid,
      exclude: exclude.map((pattern, i) => this.#pattern(pattern, `exclude[${i}]`)),
    };
  }

  /** A list of values measured side by side becomes an axis of every grid that has no such axis. */
  #defaults(value: unknown): { defaults: Record<string, string>; axes: Grid } {
    const defaults: Record<string, string> = {};
    const axes: Grid = {};
    for (const [key, each] of Object.entries(this.#object(value, "defaults"))) {
      const at = `defaults.${key}`;
      this.#known(key, at);
      if (isJoined(key)) axes[key] = this.#texts(key, each, at).map((text) => ({ [key]: text }));
      else defaults[key] = this.#text(key, each, at);
    }
    return { defaults, axes };
  }

  #grid(value: unknown, at: string): Grid {
    const grid: Grid = {};
    const setBy = new Map<string, string>();
    for (const [axis, values] of Object.entries(this.#object(value, at))) {
      const path = `${at}.${axis}`;
      const bundles = [values].flat();
      const isBundle = bundles.length > 0 && bundles.every(isObject);
      if (!isBundle) this.#known(axis, path);
      grid[axis] = isBundle
        ? bundles.map((bundle, i) => this.#bundle(bundle, `${path}[${i}]`))
        : this.#texts(axis, values, path).map((text) => ({ [axis]: text }));
      if (grid[axis].length === 0) throw this.#fault(path, "it has no values");
      for (const flag of new Set(grid[axis].flatMap((one) => Object.keys(one)))) {
        const other = setBy.get(flag);
        if (other !== undefined) throw this.#fault(path, `it sets ${flag}, which ${at}.${other} sets too`);
        setBy.set(flag, axis);
      }
    }
    return grid;
  }

  /** Flags that are set together. */
  #bundle(value: unknown, at: string): AxisValue {
    return Object.fromEntries(
      Object.entries(this.#object(value, at)).map(([key, each]) => {
        this.#known(key, `${at}.${key}`);
        return [key, this.#text(key, each, `${at}.${key}`)];
      }),
    );
  }

  #pattern(value: unknown, at: string): Record<string, string[]> {
    const entries = Object.entries(this.#object(value, at));
    if (entries.length === 0) throw this.#fault(at, "it would leave out everything");
    return Object.fromEntries(entries.map(([key, each]) => {
      this.#known(key, `${at}.${key}`);
      return [key, this.#texts(key, each, `${at}.${key}`)];
    }));
  }

  /** Refuses a key that is no flag of `bench`, or none that a plan may set. */
  #known(key: string, at: string): void {
    if (planFlag(key) !== undefined) return;
    const why = whyNot(key);
    if (why !== undefined) throw this.#fault(at, `a plan cannot set it: ${why}`);
    const near = suggest(key.replaceAll("-", "_"), planFlagNames);
    throw this.#fault(
      at,
      `bench has no such flag; ${near === undefined ? "deno task bench --help lists them" : `did you mean ${near}?`}`,
    );
  }

  #texts(key: string, value: unknown, at: string): string[] {
    return this.#checked(at, () => textsOf(key, value).map((text) => this.#path(key, text)));
  }

  #text(key: string, value: unknown, at: string): string {
    return this.#checked(at, () => this.#path(key, textOf(key, value)));
  }

  #checked<T>(at: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw this.#fault(at, error.message.replace(/^Cannot read --\w+: /, ""));
    }
  }

  /** Makes a path absolute: from the plan's folder if it is there, else from the user's. */
  #path(key: string, text: string): string {
    if (key !== "model_id" && key !== "dataset") return text;
    if (key === "dataset" && text === "-") {
      throw new InputError('found "-", a sweep reads texts more than once; give a file, a folder or a name');
    }
    const beside = resolve(join(dirname(this.path), text));
    if (text !== EMBEDDED_MODEL_ID && isThere(beside)) return beside;
    const others = { output: "", resume: undefined };
    return key === "model_id"
      ? absolutePaths({ model_id: text, dataset: "-", ...others }).model_id
      : absolutePaths({ model_id: EMBEDDED_MODEL_ID, dataset: text, ...others }).dataset;
  }

  #object(value: unknown, at: string): Record<string, unknown> {
    if (isObject(value)) return value;
    throw this.#fault(at, `found ${shown(value)}, give keys with values`);
  }

  #fault(at: string, reason: string): InputError {
    return new InputError(`Cannot use ${this.path}: ${at === "" ? "" : `${printable(at, 120)}: `}${reason}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return printable(JSON.stringify(value) ?? "nothing", 80);
}
