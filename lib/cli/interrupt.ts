/** A second signal within this time of the first is the same one, which a task runner has passed on as well, ms. */
const SAME_MS = 500;

/** Signals that end a run in order, and the exit code that tells of each: 128 + its number. */
const CODES: readonly (readonly [Deno.Signal, number])[] = [
  ["SIGINT", 130],
  // A scheduler's, such as Slurm's at the end of a job's time; and of a terminal that is closed. Windows has neither.
  ...Deno.build.os === "windows" ? [] : [["SIGTERM", 143], ["SIGHUP", 129]] as const,
];

/**
 * Ctrl-C, SIGTERM and SIGHUP as an AbortSignal, so that a run can end in order. Whoever sends a second one is not kept
 * waiting: it ends the process at once.
 *
 * @example
 * ```ts
 * import { Interrupt } from "./interrupt.ts";
 *
 * using interrupt = new Interrupt();
 * console.log(interrupt.signal.aborted, interrupt.code); // false 0
 * ```
 */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #scope = new DisposableStack();
  #first: { readonly code: number; readonly at: number } | undefined;

  constructor() {
    for (const [name, code] of CODES) {
      const listener = () => {
        const now = performance.now();
        if (this.#first && now - this.#first.at > SAME_MS) Deno.exit(this.#first.code);
        this.#first ??= { code, at: now };
        this.#controller.abort();
      };
      Deno.addSignalListener(name, listener);
      this.#scope.defer(() => Deno.removeSignalListener(name, listener));
    }
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code that tells of the signal, 128 + its number; 0 if there was none. */
  get code(): number {
    return this.#first?.code ?? 0;
  }

  [Symbol.dispose](): void {
    this.#scope.dispose();
  }
}
