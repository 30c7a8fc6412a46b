import { InputError } from "../util/errors.ts";

/**
 * What kept a file of the hub away: "unreachable", the hub did not answer, or asked to come back later, so that another
 * time may do; "missing", the repository has no such file; "refused", anything else.
 */
export type HubErrorKind = "unreachable" | "missing" | "refused";

/**
 * Something of the Hugging Face hub that cannot be had. Its message says what would do.
 *
 * @example
 * ```ts
 * import { HubError } from "./errors.ts";
 *
 * console.log(new HubError("missing", "Cannot find a.json in model org/name: Entry Not Found (404)").kind); // "missing"
 * ```
 */
export class HubError extends InputError {
  /** What kept it away. */
  readonly kind: HubErrorKind;
  /** The commit that has no such file, where the hub says. */
  readonly commit: string | undefined;

  /**
   * Makes an error.
   *
   * @param kind What kept it away.
   * @param message In the form "Cannot X: Y", without a full stop.
   * @param options `cause`: the error that was met; `commit`: the commit that has no such file.
   */
  constructor(kind: HubErrorKind, message: string, options: ErrorOptions & { commit?: string } = {}) {
    super(message, options);
    this.kind = kind;
    this.commit = options.commit;
  }
}
