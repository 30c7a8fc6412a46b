import { endWith, readLines, spawnDeno } from "../process/deno_child.ts";
import { InputError } from "../util/errors.ts";
import type { Encoder } from "./tokenizer.ts";

/** Request to the process: a text to tokenize. The first line names the model's folder instead. */
export type TokenizerRequest = { readonly folder: string } | { readonly text: string };

/** Answer of the process, a line for each line. */
export type TokenizerAnswer =
  | { readonly ids: readonly number[] }
  /** `mistake`: whether it is the user's mistake, such as a damaged file. */
  | { readonly error: string; readonly mistake: boolean };

/**
 * A model's tokenizer in a child process. A tokenizer.json holds regular expressions. One that backtracks without end
 * cannot be stopped in this process: meanwhile no signal handler runs, and V8 cannot end a worker in it.
 *
 * @example
 * ```ts
 * import { TokenizerProcess } from "./tokenizer_process.ts";
 *
 * using tokenizer = new TokenizerProcess("lib/assets/novel-neox-8m");
 * const { prefix, encode } = await tokenizer.loaded;
 * console.log(prefix, (await encode("Call me Ishmael.")).length > 3); // [ 0 ] true
 * ```
 */
export class TokenizerProcess implements Disposable {
  /** The tokenizer, once it is loaded. */
  readonly loaded: Promise<Encoder>;
  readonly #child: Deno.ChildProcess;
  readonly #tie: Disposable;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  /** Callers waiting for an answer, in the order of the requests. */
  readonly #waiting: { resolve: (line: string) => void; reject: (error: unknown) => void }[] = [];
  /** Why no more answers come. */
  #ended: Error | undefined;

  /**
   * Starts the process, which immediately loads the tokenizer.
   *
   * @param folder Path of the model folder.
   * @param signal Ends the process; pending requests fail with the signal's reason.
   */
  constructor(folder: string, signal?: AbortSignal) {
    this.#child = spawnDeno({
      script: import.meta.resolve("./tokenizer_main.ts"),
      permissions: ["--allow-read"],
    });
    void this.#child.stderr.cancel().catch(() => {});
    this.#tie = endWith(this.#child, signal);
    this.#input = this.#child.stdin.getWriter();
    void this.#listen(folder, signal);
    this.loaded = this.#ask({ folder }).then((prefix) => ({
      prefix,
      encode: (text: string) => this.#ask({ text }),
    }));
    // A caller that never waits for it need not see the error.
    this.loaded.catch(() => {});
  }

  async #listen(folder: string, signal?: AbortSignal): Promise<void> {
    await readLines(this.#child.stdout, (line) => this.#waiting.shift()?.resolve(line)).catch(() => {});
    const { code, signal: by } = await this.#child.status;
    this.#ended = signal?.aborted
      ? signal.reason
      : new InputError(`Cannot tokenize with ${folder}: its tokenizer's process ended (${by ?? `code ${code}`})`);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }

  async #ask(request: TokenizerRequest): Promise<number[]> {
    if (this.#ended) throw this.#ended;
    const line = new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    // If the process ends before it reads this, the pending requests report it.
    void this.#input.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`)).catch(() => {});
    const answer: TokenizerAnswer = JSON.parse(await line);
    if ("ids" in answer) return [...answer.ids];
    throw answer.mistake ? new InputError(answer.error) : new Error(answer.error);
  }

  [Symbol.dispose](): void {
    this.#tie[Symbol.dispose]();
    void this.#input.abort().catch(() => {});
  }
}
