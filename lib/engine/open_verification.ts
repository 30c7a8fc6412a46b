import { MOST_TOKENS } from "../kernels/row_kernels.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { RowsVerification } from "./rows_verification.ts";
import { StepsVerification } from "./steps_verification.ts";
import type { Verification, VerifiedSequence } from "./verification.ts";

/**
 * Makes what verifies a sequence's drafted tokens: one pass with the project's own kernels if the engine has them, and
 * otherwise steps. Call while the cache is empty.
 *
 * @example
 * ```ts ignore
 * import { openVerification } from "./open_verification.ts";
 *
 * using verification = openVerification(engine, sequence, [2, 5, 9]);
 * verification.run([last, ...drafted]);
 * ```
 *
 * @param sizes Tokens of the passes; a pass of another size runs as the next larger one.
 * @returns What verifies; dispose of it before the sequence's cache.
 * @throws {RangeError} For a size that no pass can have.
 * @throws {TypeError} If the policy evicts: what is evicted cannot be taken back.
 */
export function openVerification(
  engine: LoadedModel,
  sequence: VerifiedSequence,
  sizes: readonly number[],
): Verification {
  const wrong = sizes.find((size) => !(Number.isInteger(size) && size >= 1 && size <= MOST_TOKENS));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot verify ${wrong} tokens in a pass: 1 to ${MOST_TOKENS} are possible`);
  }
  if (engine.eviction.acting.length > 0) {
    throw new TypeError("Cannot verify tokens: the method evicts, and what is evicted cannot be taken back");
  }
  const ascending = [...new Set(sizes)].sort((a, b) => a - b);
  const { rows } = engine.graphs;
  if (rows) return new RowsVerification(engine, sequence, rows, ascending);
  const reason = engine.ownSteps ? "the engine was made without `verifies`" : "ONNX Runtime's kernels run the steps";
  return new StepsVerification(engine, sequence, reason, ascending.at(-1)!);
}
