/**
 * Content of `trace_{configuration}.json`: what a configuration's cache held.
 *
 * @module
 */

/** `count` consecutive text positions from `first` on. */
export type Run = [first: number, count: number];

/** Which text positions each layer and KV head held, at one or several moments of the quality pass. */
export interface Trace {
  /** Name of the configuration, as in the table. */
  configuration: string;
  /** How tokens were numbered: "absolute", "cache" or "seed". In all three, `held` has indices in the text. */
  positions: string;
  /** Layers that are never compressed. */
  skip_layers: number[];
  /** Layers of the model. */
  layers: number;
  /** KV heads per layer. */
  kv_heads: number;
  /** In the order of the text; the last one is taken at the end of the pass. */
  snapshots: TraceSnapshot[];
}

/** Snapshot of one moment of a {@linkcode Trace}. */
export interface TraceSnapshot {
  /** Step of the pass after which it was taken, from 0. */
  step: number;
  /** Tokens of the text read so far. */
  tokens: number;
  /**
   * `held[layer][head]`: the text positions, as runs in ascending order. An empty layer (`[]`) holds everything that
   * was read: it is skipped, or its cache is not full.
   */
  held: Run[][][];
}
