import { createHash } from "node:crypto";
import type { Configuration } from "../../run/plan/configuration.ts";
import type { Positions } from "../../engine/numbering.ts";

/** Entries and shape by which policies made for a budget are told apart; any would do. */
const ENTRIES = 4096;
const SHAPE = { layers: 32, acting: Array.from({ length: 32 }, (_, i) => i), tokens: 65536 };

/**
 * Returns what distinguishes a configuration from others under the same terms: method, parameters, budget and numbering
 * of tokens, whatever its name is.
 *
 * @example
 * ```ts
 * import { methods } from "../../policies/registry.ts";
 * import { identityOf } from "./identity.ts";
 *
 * const policy = methods.tova({ cache_size: 64 });
 * console.log(identityOf({ name: "mine", policy, positions: "cache" }));
 * // { method: "tova", params: '{"cache_size":64}', positions: "cache" }
 * ```
 *
 * @param configuration One that sets its numbering.
 * @returns Texts by name. With a budget, `params` are those that the method would have at 4096 entries.
 */
export function identityOf(
  { name, policy, budget, positions }: Configuration & { readonly positions: Positions },
): Record<string, string> {
  const made = typeof policy === "function" ? attempt(() => policy(ENTRIES, SHAPE)) : policy;
  return {
    // A policy that cannot be made at that size goes by its name.
    method: made?.method ?? name,
    params: canonical({ ...made?.params }),
    positions,
    ...(budget === undefined ? {} : { budget: `${budget}` }),
    // The full cache once more, with --aa.
    ...(made?.method === "baseline" && name !== "baseline" ? { name } : {}),
  };
}

/**
 * Writes a value as JSON with sorted keys.
 *
 * @example
 * ```ts
 * import { canonical } from "./identity.ts";
 *
 * console.log(canonical({ b: 1, a: [2] })); // {"a":[2],"b":1}
 * ```
 */
export function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, each) =>
      typeof each === "object" && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => a < b ? -1 : 1))
        : each,
  );
}

/**
 * Returns the first hex digits of a value's SHA-256; keys of objects may be in any order.
 *
 * @example
 * ```ts
 * import { shortHash } from "./identity.ts";
 *
 * console.log(shortHash({ b: 1, a: 2 }) === shortHash({ a: 2, b: 1 }), shortHash("x", 8).length); // true 8
 * ```
 */
export function shortHash(value: unknown, digits = 16): string {
  return createHash("sha256").update(canonical(value)).digest("hex").slice(0, digits);
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
