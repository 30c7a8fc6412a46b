/**
 * A mistake in what the user gave: a flag, a file, a field, a machine without what was asked for. The command line
 * prints its message without a stack trace and exits with code 2; a script may catch it.
 *
 * The message says what was found and what would do, in the form "Cannot X: Y", without a full stop.
 *
 * @example
 * ```ts
 * import { InputError } from "./errors.ts";
 *
 * const error = new InputError("Cannot read --skip_layers: found 99, the model has 8 layers");
 * console.log(error.name); // "InputError"
 * ```
 */
export class InputError extends Error {
  /** "InputError", in every process. */
  override readonly name = "InputError";
}
