import { checkValue, type Kind } from "../util/check_options.ts";

/** A method's name. */
export const paramName: Kind = {
  needed: "a name",
  fits: (value) => typeof value === "string" && value !== "",
};

/** JSON cannot represent a number that is not finite, and no size or ratio is one. */
const figure: Kind = { needed: "a finite number", fits: Number.isFinite };
const word: Kind = { needed: "a text", fits: (value) => typeof value === "string" };
const either: Kind = {
  needed: "a finite number or a text",
  fits: (value) => figure.fits(value) || word.fits(value),
};

/** A number over 0 and up to 1. */
export const ratio: Kind = {
  needed: "a number over 0 and up to 1",
  fits: (value) => typeof value === "number" && value > 0 && value <= 1,
};

/** A number from 0 to 1. */
export const share: Kind = {
  needed: "a number from 0 to 1",
  fits: (value) => typeof value === "number" && value >= 0 && value <= 1,
};

/**
 * Returns the kind of each parameter of a method: the given one, else that of its default.
 *
 * @param method The method's name.
 * @param defaults Parameters and their defaults.
 * @param kinds Kinds of some parameters.
 * @returns A kind for every parameter.
 * @throws {InputError} If a default is neither a finite number nor a text.
 */
export function paramKinds(
  method: string,
  defaults: Readonly<Record<string, unknown>>,
  kinds: Readonly<Record<string, Kind | undefined>>,
): Record<string, Kind> {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => {
      checkValue(`the default of ${JSON.stringify(name)} of ${method}`, value, either);
      return [name, kinds[name] ?? (typeof value === "number" ? figure : word)];
    }),
  );
}
