/** What a copy to the host will have brought: waits for it, and so for the work queued before it. */
export type PendingRead = () => Uint8Array<ArrayBuffer>;

/** Copies so small and so many that neither side may wait for the other: a step's inputs, and what it gives. */
export interface SmallCopies extends Disposable {
  /** Queues a copy to the device; `data` may be reused at once. */
  send(offset: number, data: Uint8Array<ArrayBuffer>): void;
  /** Queues a copy to the host. Each has to be taken, in order, before two more are queued. */
  fetch(offset: number, bytes: number): PendingRead;
}
