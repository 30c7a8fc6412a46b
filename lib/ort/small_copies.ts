/** Returns the result of a copy to the host: waits for it, and so for the work queued before it. */
export type PendingRead = () => Uint8Array<ArrayBuffer>;

/** Copies so small and frequent that neither side may wait for the other: a step's inputs and results. */
export interface SmallCopies extends Disposable {
  /** Queues a copy to the device; `data` may be reused at once. */
  send(offset: number, data: Uint8Array<ArrayBuffer>): void;
  /** Queues a copy to the host. Take each result, in order, before two more copies are queued. */
  fetch(offset: number, bytes: number): PendingRead;
}
