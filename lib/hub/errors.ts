import { InputError } from "../util/errors.ts";

/**
 * Why a file could not be fetched. "unreachable": the hub did not answer, or asked to come back later; another try may
 * succeed. "missing": the repository has no such file. "refused": anything else.
 */
export type HubErrorKind = "unreachable" | "missing" | "refused";

/**
 * Something could not be fetched from the Hugging Face hub. The message says what would do.
 *
 * @example
 * ```ts
 * import { HubError } from "./errors.ts";
 *
 * console.log(new HubError("missing", "Cannot find a.json in model org/name: Entry Not Found (404)").kind); // "missing"
 * ```
 */
export class HubError extends InputError {
  /** Why it could not be fetched. */
  readonly kind: HubErrorKind;
  /** The commit that has no such file, if the hub says. */
  readonly commit: string | undefined;

  /**
   * Makes an error.
   *
   * @param kind Why it could not be fetched.
   * @param message In the form "Cannot X: Y", without a full stop.
   * @param options `cause`: the underlying error; `commit`: the commit that has no such file.
   */
  constructor(kind: HubErrorKind, message: string, options: ErrorOptions & { commit?: string } = {}) {
    super(message, options);
    this.kind = kind;
    this.commit = options.commit;
  }
}
