/**
 * Reason for a failed attempt, returned instead of the result.
 *
 * @example
 * ```ts
 * import { Reason } from "./reason.ts";
 *
 * const half = (n: number) => n % 2 === 0 ? n / 2 : new Reason(`${n} is odd`);
 * const found = half(3);
 * console.log(found instanceof Reason ? found.text : found); // 3 is odd
 * ```
 */
export class Reason {
  /** @param text Worded to continue a sentence, without a full stop. */
  constructor(readonly text: string) {}
}
