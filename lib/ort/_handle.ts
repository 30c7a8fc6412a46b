/**
 * Something of ORT's that must be given back once, and only once. It is when it is disposed of, or else, as a net, some
 * time after nothing holds the `Handle` any more.
 */
export class Handle implements Disposable {
  readonly #what: string;
  readonly #release: () => void;
  #pointer: Deno.PointerObject | null;

  /**
   * @param what What it is, for the message of one that is used too late.
   * @param pointer Where it is.
   * @param release Gives it back. Must not hold the `Handle`, or the net never closes; may hold what must outlive it.
   */
  constructor(what: string, pointer: Deno.PointerObject, release: (pointer: Deno.PointerObject) => void) {
    this.#what = what;
    this.#pointer = pointer;
    this.#release = () => release(pointer);
    net.register(this, this.#release, this);
  }

  /** The address. @throws {TypeError} If it was given back. */
  get pointer(): Deno.PointerObject {
    if (this.#pointer === null) throw new TypeError(`Cannot use ${this.#what}: it was disposed of`);
    return this.#pointer;
  }

  [Symbol.dispose](): void {
    if (this.#pointer === null) return;
    this.#pointer = null;
    net.unregister(this);
    this.#release();
  }
}

const net = new FinalizationRegistry<() => void>((release) => release());
