import type { FloatType } from "../util/dtype.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session, type View } from "../ort/session.ts";
import type { AttentionUse } from "../policies/policy.ts";
import { featuresOf, type Score } from "../policies/score.ts";
import { buildCompactGraph } from "./compact_graph.ts";
import { attentionShape, type EntryState, entryStateOf } from "./entry_state.ts";
import { Keeper, type KeepTable } from "./schedule.ts";

/** A policy as data, and how to carry it out. */
export interface EvictionOptions {
  /** Type that keys and values are stored in. Scores are computed in float32, whatever it is. */
  readonly stored: FloatType;
  readonly table: KeepTable;
  readonly score?: Score | undefined;
  /** The attention the score reads. */
  readonly attentionUse?: AttentionUse | undefined;
  /** Whether to keep each entry's index in the text. */
  readonly trace?: boolean | undefined;
  /** Whether positions are places in the cache: then every pass reads the rank of every slot. */
  readonly rankedPositions?: boolean | undefined;
  /** What a sliding window reads in every pass: each entry's index in the text, or its place in the cache. */
  readonly window?: "index" | "rank" | undefined;
}

/** A policy as its process knows it: its sizes, its score, and the sessions for many-entry eviction. */
export class Eviction implements Disposable {
  readonly keeper: Keeper;
  /** Layers that the policy acts on. */
  readonly acting: readonly number[];
  /** State kept per entry in addition to its key and value. */
  readonly kept: EntryState;
  /**
   * Whether all acting layers have equal capacities, so that per-slot outputs of passes line up with the entry state.
   */
  readonly uniform: boolean;
  readonly isRandom: boolean;
  readonly stored: FloatType;
  readonly score: Score | undefined;
  readonly #sessions = new Map<string, Session>();

  constructor(
    readonly runtime: Runtime,
    readonly model: { readonly layers: number; readonly kvHeads: number; readonly headDim: number },
    options: EvictionOptions,
  ) {
    const { stored, table, score, attentionUse, trace = false, rankedPositions = false, window } = options;
    this.stored = stored;
    this.score = score;
    this.keeper = new Keeper(table);
    this.acting = Array.from({ length: model.layers }, (_, layer) => layer).filter((layer) => this.keeper.acts(layer));
    this.kept = entryStateOf(score, attentionUse, trace || window === "index");
    this.uniform = this.kept.attention !== undefined || trace || rankedPositions || window !== undefined;
    this.isRandom = score !== undefined && featuresOf(score).has("random");
    // What a prefill may need is built now, outside of the timed part.
    const compacted = table.layers.flat().filter(([entries, ...kept]) => entries - sum(kept) > 1);
    if (compacted.some(([, , heavy]) => heavy > 0)) this.compact(false, true);
    if (compacted.some(([, , heavy]) => heavy === 0)) this.compact(false, false);
  }

  /**
   * Runs each session once on almost no data. What a session takes for itself on the device (handles of cuBLAS and
   * cuDNN, kernel code) is then allocated before the model's memory is counted.
   */
  wake(): void {
    const { device, host } = this.runtime;
    const { headDim } = this.model;
    const { norms, textPositions, attention } = this.kept;
    const lines = attention?.from === "last" ? attention.window : 1;
    using memory = device.allocate(4096 + 64 * headDim + 64 * lines);
    using counts = host.allocate(128);
    // entries, sink, end, heavy, then pads for the entry state of one row
    host.write(counts, 0, BigInt64Array.of(3n, 1n, 2n, 1n, ...new BigInt64Array(12)));
    const onHost = (index: number, length = 1): View => ["int64", [length], counts, 8 * index, host];
    const cache: View = [this.stored, [4, headDim], memory, 4096];
    const column: View = ["int64", [1, 1], memory, 0];
    for (const [form, session] of this.#sessions) {
      const [scrambled, scored] = form.split(" ").map((word) => word === "true");
      const random = scored && this.isRandom;
      const perSlot = (width: number): View => ["float32", [1, width], memory, 1024];
      const paid = (width: number): View => [
        "float32",
        attentionShape(attention!, 1, width),
        memory,
        4096 + 16 * headDim,
      ];
      const width = scored ? 3 : 2;
      session.runOnce({
        keys: cache,
        values: cache,
        kept_keys: cache,
        kept_values: cache,
        from: column,
        to: column,
        entries: onHost(0),
        sink: onHost(1),
        end: onHost(2),
        ...(scored ? { heavy: onHost(3) } : {}),
        ...(scrambled ? { rank: perSlot(3) } : {}),
        ...(random ? { draw: ["int64", [1], memory, 0], row: column } : {}),
        ...(textPositions ? { text_position: perSlot(3) } : {}),
        ...(attention ? { attention: paid(3) } : {}),
        ...(norms || textPositions || attention?.from === "all" ? { pads: onHost(4, 4) } : {}),
        ...(attention?.from === "last" ? { ring_pads: onHost(4, 6) } : {}),
      }, {
        "kept_keys'": cache,
        "kept_values'": cache,
        ...(norms ? { "key_norm'": perSlot(width) } : {}),
        ...(textPositions ? { "text_position'": perSlot(width) } : {}),
        ...(attention ? { "attention'": paid(width) } : {}),
      });
    }
    device.synchronize();
  }

  /** Sessions of many-entry eviction made so far. */
  get sessions(): Session[] {
    return [...this.#sessions.values()];
  }

  /** Returns the session of many-entry eviction for a form. */
  compact(scrambled: boolean, scored: boolean): Session {
    const key = `${scrambled} ${scored}`;
    let session = this.#sessions.get(key);
    if (!session) {
      const score = scored ? this.score : undefined;
      const graph = buildCompactGraph(this.model.headDim, this.stored, { scrambled, score, kept: this.kept });
      session = new Session(this.runtime.ort, this.runtime.device, graph);
      this.#sessions.set(key, session);
    }
    return session;
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) session[Symbol.dispose]();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
