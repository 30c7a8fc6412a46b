import { integers } from "../../flags/ranges.ts";
import { fault } from "../../flags/values.ts";
import { printable } from "../../util/printable.ts";
import { isJoined, planFlag } from "./plan_flags.ts";

/**
 * Returns the values of an axis as texts of flags: one for each item of a list, of a range, and of a list within a text
 * where the flag takes such lists side by side.
 *
 * @example
 * ```ts
 * import { textsOf } from "./values.ts";
 *
 * console.log(textsOf("budget", ["10%", "64-256*2"])); // [ "10%", "64", "128", "256" ]
 * console.log(textsOf("max_tokens", "1000-3000+1000")); // [ "1000", "2000", "3000" ]
 * console.log(textsOf("skip_layers", ["none", [0, 1]])); // [ "none", "0,1" ]
 * ```
 *
 * @param flag The flag.
 * @param value What the plan says.
 * @returns At least one text; each is valid, and none is there twice.
 * @throws {InputError} Saying what was found, and what would do.
 */
export function textsOf(flag: string, value: unknown): string[] {
  const items = Array.isArray(value) ? value : [value];
  if (items.length === 0) throw fault(flag, "[]", "give at least one value");
  const texts = items.flatMap((item) => eachOf(flag, textOf(flag, item, true)));
  const twice = texts.find((text, i) => texts.indexOf(text) !== i);
  if (twice !== undefined) throw fault(flag, twice, "it is given twice; give each once");
  return texts;
}

/**
 * Returns one value as the text of a flag.
 *
 * @example
 * ```ts
 * import { textOf } from "./values.ts";
 *
 * console.log(textOf("skip_layers", [0, 1]), textOf("max_tokens", 400), textOf("aa", true)); // 0,1 400 true
 * ```
 *
 * @param flag The flag.
 * @param value A text, a number, true or false; or a list, for a flag that takes lists.
 * @param mayBeRange Whether a range stands for several values.
 * @throws {InputError} Saying what was found, and what would do.
 */
export function textOf(flag: string, value: unknown, mayBeRange = false): string {
  const spec = planFlag(flag)!;
  const found = printable(JSON.stringify(value) ?? "nothing", 80);
  if (spec.read === undefined) {
    if (value === true || value === false || value === "true" || value === "false") return `${value}`;
    throw fault(flag, found, "give true or false");
  }
  const items = Array.isArray(value) ? value : [value];
  if (Array.isArray(value) && (spec.value !== "LIST" || items.length === 0)) {
    throw fault(flag, found, "give one value here; several belong into grid");
  }
  if (!items.every((item) => ["string", "number"].includes(typeof item) && `${item}` !== "")) {
    throw fault(flag, found, "give a text or a number");
  }
  const text = items.join(",");
  if (!(mayBeRange && isRange(flag, text))) spec.read(flag, text);
  return text;
}

/** Several values within one text. */
function eachOf(flag: string, text: string): string[] {
  if (isRange(flag, text)) {
    const values = integers(0)(flag, text).map(String);
    for (const value of values) planFlag(flag)!.read!(flag, value);
    return values;
  }
  if (!isJoined(flag)) return [text];
  const values = planFlag(flag)!.read!(flag, text) as readonly unknown[];
  return values.map(String);
}

/** Whether a text is a range or a list of numbers for a flag that takes one number. */
function isRange(flag: string, text: string): boolean {
  return planFlag(flag)?.value === "N" && /^\d+\s*[-,]/.test(text);
}
