/**
 * What a configuration's cache holds, as `trace_{configuration}.json` has it.
 *
 * @module
 */

/** `count` consecutive text positions from `first` on. */
export type Run = [first: number, count: number];

/** Which text positions each layer and KV head held, at one or several moments of the quality pass. */
export interface Trace {
  /** Name of the configuration, as in the table. */
  configuration: string;
  /** How tokens were numbered: "absolute", "cache" or "seed". What is held is told by the index in the text in all three. */
  positions: string;
  /** Layers that are never compressed. */
  skip_layers: number[];
  /** Layers of the model. */
  layers: number;
  /** KV heads of a layer. */
  kv_heads: number;
  /** In the order of the text; the last one is the end of the pass. */
  snapshots: TraceSnapshot[];
}

/** One moment of a {@linkcode Trace}. */
export interface TraceSnapshot {
  /** Step of the pass after which it was taken, from 0. */
  step: number;
  /** Tokens of the text that had been read. */
  tokens: number;
  /**
   * `held[layer][head]`: the positions in the text, as runs from the first to the last. An empty layer (`[]`) holds
   * everything that was read: it is skipped, or its cache is not full.
   */
  held: Run[][][];
}
