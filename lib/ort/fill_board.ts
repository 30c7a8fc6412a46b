/** How a fill ended: how long it took, s, or the error's name and message. */
export type FillEnd = { readonly seconds: number } | { readonly name: string; readonly message: string };

const STATE = 0, STOP = 1, LENGTH = 2;
const BEGUN = 1, ENDED = 2;
const TEXT_AT = 16, TEXT_BYTES = 8192;
/** Time for the thread to start, ms: if it has not by then, it will not. */
const PATIENCE = 60_000;

/** What the two threads of a fill share: one of them may be too busy for messages. */
export class FillBoard {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #text: Uint8Array<SharedArrayBuffer>;

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(TEXT_AT + TEXT_BYTES)) {
    this.#words = new Int32Array(shared, 0, TEXT_AT / 4);
    this.#text = new Uint8Array(shared, TEXT_AT);
  }

  /** Whether the rest is not wanted any more. */
  get stopped(): boolean {
    return Atomics.load(this.#words, STOP) === 1;
  }

  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  begin(): void {
    this.#set(BEGUN);
  }

  end(how: FillEnd): void {
    let text = new TextEncoder().encode(JSON.stringify(how));
    if (text.length > TEXT_BYTES && "message" in how) {
      text = new TextEncoder().encode(JSON.stringify({ ...how, message: how.message.slice(0, TEXT_BYTES / 8) }));
    }
    this.#text.set(text);
    Atomics.store(this.#words, LENGTH, text.length);
    this.#set(ENDED);
  }

  /** Blocks until the other thread has ended. */
  wait(): FillEnd {
    if (Atomics.wait(this.#words, STATE, 0, PATIENCE) === "timed-out") {
      return { name: "Error", message: "Cannot read weights: the reading thread did not start" };
    }
    Atomics.wait(this.#words, STATE, BEGUN);
    return JSON.parse(new TextDecoder().decode(this.#text.slice(0, Atomics.load(this.#words, LENGTH))));
  }

  #set(state: number): void {
    Atomics.store(this.#words, STATE, state);
    Atomics.notify(this.#words, STATE);
  }
}
