import type { Policy } from "./policy.ts";

/** What a configuration may hold: entries in a layer, or a share of the full cache's bytes, such as "12.5%". */
export type Budget = number | `${number}%`;

/** What a {@linkcode PolicyMaker} may go by: the model's layers, and the length at which the budget holds. */
export interface BudgetShape {
  /** Layers of the model. */
  readonly layers: number;
  /** Indices of the layers that are compressed: those that are not skipped. */
  readonly acting: readonly number[];
  /** Tokens of the quality pass, at whose end the budget holds. */
  readonly tokens: number;
}

/**
 * Makes the policy for a budget, once the model and the lengths are known. `entries` is a whole number, at least 1: what
 * the compressed layers shall hold on average at the end of the quality pass.
 */
export type PolicyMaker = (entries: number, shape: BudgetShape) => Policy;

/** Smallest share, per cent. */
export const LEAST_SHARE = 0.001;

/**
 * Reads a budget as a command line or a script gives it.
 *
 * @example
 * ```ts
 * import { readBudget } from "./budget.ts";
 *
 * console.log(readBudget("128"), readBudget("25.0%"), readBudget(".5%"), readBudget("0%")); // 128 25% 0.5% undefined
 * ```
 *
 * @param given Entries, at least 1, or a share over 0 and up to 100 %.
 * @returns The budget in its one form; undefined if it is none.
 */
export function readBudget(given: unknown): Budget | undefined {
  const text = `${given}`;
  const share = /^(\d+\.?\d*|\.\d+)%$/.exec(text)?.[1];
  if (share !== undefined) return LEAST_SHARE <= +share && +share <= 100 ? `${+share}%` : undefined;
  return /^\d+$/.test(text) && +text >= 1 && +text < 2 ** 31 ? +text : undefined;
}

/** Returns a share as a number, 0..1; undefined for a budget in entries. */
export function shareOf(budget: Budget): number | undefined {
  return typeof budget === "number" ? undefined : Number(budget.slice(0, -1)) / 100;
}
