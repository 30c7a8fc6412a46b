import type { FloatType } from "../dtype.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session } from "../ort/session.ts";
import { featuresOf, type Score } from "../policies/score.ts";
import { buildCompactGraph } from "./compact_graph.ts";
import { Keeper, type KeepTable } from "./schedule.ts";

/** A policy as the process that runs it knows it: its sizes, its score, and the sessions for many-entry eviction. */
export class Eviction implements Disposable {
  readonly keeper: Keeper;
  /** Layers that the policy acts on. */
  readonly acting: readonly number[];
  readonly readsNorm: boolean;
  readonly isRandom: boolean;
  readonly #sessions = new Map<string, Session>();

  constructor(
    readonly runtime: Runtime,
    readonly model: { readonly layers: number; readonly kvHeads: number; readonly headDim: number },
    readonly dtype: FloatType,
    readonly table: KeepTable,
    readonly score: Score | undefined,
  ) {
    this.keeper = new Keeper(table);
    this.acting = Array.from({ length: model.layers }, (_, layer) => layer).filter((layer) => this.keeper.acts(layer));
    const features = score ? featuresOf(score) : new Set();
    this.readsNorm = features.has("key_norm");
    this.isRandom = features.has("random");
    // What a prefill may need is built now, outside of what is timed.
    const compacted = table.layers.flat().filter(([entries, ...kept]) => entries - sum(kept) > 1);
    if (compacted.some(([, , heavy]) => heavy > 0)) this.compact(false, true);
    if (compacted.some(([, , heavy]) => heavy === 0)) this.compact(false, false);
  }

  /** The session of many-entry eviction. */
  compact(scrambled: boolean, scored: boolean): Session {
    const key = `${scrambled} ${scored}`;
    let session = this.#sessions.get(key);
    if (!session) {
      const score = scored ? this.score : undefined;
      const graph = buildCompactGraph(this.model.headDim, this.dtype, { scrambled, score, norms: this.readsNorm });
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
