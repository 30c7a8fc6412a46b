/** What one layer drops from: see {@linkcode emitDrop}. */
export interface Middle {
  /** Slot of the newest entry. */
  readonly last: number;
  /** First rank of the middle. */
  readonly sink: number;
  /** One past the middle's last rank. */
  readonly end: number;
  /** Entries before the pass. */
  readonly past: number;
}

/** The middle of a layer that drops nothing: its newest entry, which takes its own place. */
export function noDrop(last: number, past: number): Middle {
  return { last, sink: last, end: last + 1, past };
}

/** The middles of layers as float32 `[4, layers]`. */
export function middlesOf(middles: readonly Middle[]): Float32Array<ArrayBuffer> {
  return Float32Array.from([
    ...middles.map(({ last }) => last),
    ...middles.map(({ sink }) => sink),
    ...middles.map(({ end }) => end),
    ...middles.map(({ past }) => past),
  ]);
}
