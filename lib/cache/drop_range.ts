/** Ranks from which one layer drops an entry: see {@linkcode emitDrop}. */
export interface DropRange {
  /** Slot of the newest entry. */
  readonly last: number;
  /** First rank of the middle. */
  readonly sink: number;
  /** One past the last rank of the middle. */
  readonly end: number;
  /** Number of entries before the pass. */
  readonly past: number;
}

/** Range of a layer that drops nothing: the middle is its newest entry, which takes its own place. */
export function noDrop(last: number, past: number): DropRange {
  return { last, sink: last, end: last + 1, past };
}

/** Packs the drop ranges of layers as float32 `[4, layers]`. */
export function packDropRanges(dropRanges: readonly DropRange[]): Float32Array<ArrayBuffer> {
  return Float32Array.from([
    ...dropRanges.map(({ last }) => last),
    ...dropRanges.map(({ sink }) => sink),
    ...dropRanges.map(({ end }) => end),
    ...dropRanges.map(({ past }) => past),
  ]);
}
