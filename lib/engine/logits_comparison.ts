import { buildDivergence } from "../model/graph/divergence.ts";
import { Binding } from "../ort/binding.ts";
import type { DeviceMemory } from "../ort/device.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session } from "../ort/session.ts";
import type { SmallCopies } from "../ort/small_copies.ts";
import { Value } from "../ort/value.ts";
import { InputBlock } from "./input_block.ts";

/** How far a pass's next-token distribution is from another one. */
export interface LogitsDistance {
  /** KL(reference || own), nats. */
  readonly kl: number;
  /** The target's probability by the pass less that by the reference, -1..1. */
  readonly tokenProbability: number;
  /** Whether both have the same first most likely token; false if logits are not numbers. */
  readonly sameTop: boolean;
}

/**
 * Compares logits that a pass left on the device with others from the host; see {@linkcode buildDivergence}. One for a
 * process: a session takes some 70 MiB of a GPU.
 *
 * @example Equal logits
 * ```ts
 * import { LogitsComparison } from "./logits_comparison.ts";
 * import { openRuntime } from "./open_runtime.ts";
 *
 * const runtime = openRuntime("cpu");
 * using comparison = new LogitsComparison(runtime, 4);
 * using own = runtime.device.allocate(16);
 * using bound = comparison.bind(own);
 * const distance = bound.queue(new Uint8Array(16), 2)();
 * console.log(distance); // { kl: 0, tokenProbability: 0, sameTop: true }
 * ```
 */
export class LogitsComparison implements Disposable {
  readonly #session: Session;

  /**
   * @param runtime Where passes run.
   * @param vocab Number of logits.
   * @param threads Threads of the CPU provider; if omitted, the process's.
   */
  constructor(readonly runtime: Runtime, readonly vocab: number, threads?: number) {
    const { ort, device } = runtime;
    // Not captured as a CUDA graph: some of its kernels do what CUDA does not allow in a capture.
    this.#session = new Session(ort, device, buildDivergence(vocab).encode(), threads === undefined ? {} : { threads });
  }

  /**
   * Binds the memory that passes write their logits to: see {@linkcode Sequence.logitsMemory}.
   *
   * @param own Float32 `[1, vocab]` on the device. Dispose of the result before the comparison.
   * @returns What compares.
   * @throws {RangeError} If the memory has another size.
   */
  bind(own: DeviceMemory): BoundComparison {
    return new BoundComparison(this.#session, this.runtime, this.vocab, own);
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}

/** A comparison with the logits in one place. */
export class BoundComparison implements Disposable {
  readonly #block: InputBlock<
    { distance: readonly ["float32", readonly [3]]; target: readonly ["int64", readonly [1]] }
  >;
  readonly #reference: DeviceMemory;
  readonly #rows: SmallCopies;
  readonly #binding: Binding;

  /** See {@linkcode LogitsComparison.bind}. */
  constructor(session: Session, { ort, device }: Runtime, readonly vocab: number, own: DeviceMemory) {
    const bytes = 4 * vocab;
    if (own.bytes !== bytes) {
      throw new RangeError(`Cannot compare logits in ${own.bytes} bytes: one token's are ${bytes}`);
    }
    using made = new DisposableStack();
    this.#block = made.use(new InputBlock(ort, device, { distance: ["float32", [3]], target: ["int64", [1]] }));
    this.#reference = made.use(device.allocate(bytes));
    this.#rows = made.use(device.smallCopies(this.#reference, bytes));
    const row = (memory: DeviceMemory) => Value.of(ort, device, memory, "float32", [1, vocab]);
    this.#binding = new Binding(
      session,
      { reference: row(this.#reference), own: row(own), target: this.#block.value("target") },
      { distance: this.#block.value("distance") },
    );
    made.move();
  }

  /**
   * Queues the comparison of the logits that lie there now. Call after the pass is queued, and before the next one is:
   * the device's one stream runs passes, copies and this session in the order in which they are queued, so the next
   * pass overwrites the logits only after they were read. (This session is not captured, so on CUDA its run also waits
   * for the pass: the next one is queued a little later than without a comparison.)
   *
   * @param reference The other logits, float32 `[vocab]` as bytes; may be reused at once.
   * @param target Id of the token whose probabilities are compared.
   * @returns Waits for the result. Take each one, in order, before two more are queued.
   */
  queue(reference: Uint8Array<ArrayBuffer>, target: number): () => LogitsDistance {
    this.#rows.send(0, reference);
    this.#block.array("target")[0] = BigInt(target);
    this.#block.send("target");
    this.#binding.run();
    const fetched = this.#block.fetch(12);
    return () => {
      const view = new DataView(fetched().buffer);
      const [kl, tokenProbability, same] = [0, 4, 8].map((at) => view.getFloat32(at, true)) as [number, number, number];
      // Rounding can leave -1e-16 of a divergence, which has no sign.
      return { kl: Math.max(0, kl), tokenProbability, sameTop: same === 1 && !Number.isNaN(kl) };
    };
  }

  [Symbol.dispose](): void {
    this.#binding[Symbol.dispose]();
    this.#rows[Symbol.dispose]();
    this.#reference[Symbol.dispose]();
    this.#block[Symbol.dispose]();
  }
}
