/** Milliseconds within which a second signal is taken for the first one, passed on by a task runner. */
const SAME_MS = 500;

/** Signals that end a run in order, and the exit code of each: 128 + its number. */
const CODES: readonly (readonly [Deno.Signal, number])[] = [
  ["SIGINT", 130],
  // SIGTERM is sent by schedulers, such as Slurm at a job's time limit; SIGHUP by a closed terminal. Windows has
  // neither.
  ...Deno.build.os === "windows" ? [] : [["SIGTERM", 143], ["SIGHUP", 129]] as const,
];

/**
 * Turns Ctrl-C, SIGTERM and SIGHUP into an AbortSignal, so that a run can end in order. A second signal ends the
 * process at once.
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

  /** The exit code: 128 + the signal's number, or 0 if no signal came. */
  get code(): number {
    return this.#first?.code ?? 0;
  }

  [Symbol.dispose](): void {
    this.#scope.dispose();
  }
}
