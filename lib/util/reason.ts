/**
 * Why something that was tried is not there: the other outcome of a function that gives the thing itself where it can.
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
  /** @param text In words that go on a sentence, without a full stop. */
  constructor(readonly text: string) {}
}
