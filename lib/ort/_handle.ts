/**
 * An object of ORT's that must be released exactly once. That happens when it is disposed of or, as a safety net, some
 * time after nothing references the `Handle` any more.
 */
export class Handle implements Disposable {
  readonly #what: string;
  readonly #release: () => void;
  #pointer: Deno.PointerObject | null;

  /**
   * @param what What it is, for the message when it is used too late.
   * @param pointer Its address.
   * @param release Releases it. Must not reference the `Handle`, or the safety net never works; may reference what must
   * outlive it.
   */
  constructor(what: string, pointer: Deno.PointerObject, release: (pointer: Deno.PointerObject) => void) {
    this.#what = what;
    this.#pointer = pointer;
    this.#release = () => release(pointer);
    net.register(this, this.#release, this);
  }

  /** The address. @throws {TypeError} If it was released. */
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
