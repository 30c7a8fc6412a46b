import type { FloatType } from "../dtype.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session } from "../ort/session.ts";
import { featuresOf, type Score } from "../policies/score.ts";
import { buildCompactGraph, buildNormGraph } from "./compact_graph.ts";
import { buildDropGraph } from "./drop_graph.ts";
import type { Layout } from "./layout.ts";
import { Keeper, type KeepTable } from "./schedule.ts";

/** A policy as the process that runs it knows it: its sizes, its score, and the sessions that carry them out. */
export class Eviction implements Disposable {
  readonly keeper: Keeper;
  readonly readsNorm: boolean;
  readonly isRandom: boolean;
  readonly #sessions = new Map<string, Session>();

  constructor(
    readonly runtime: Runtime,
    readonly model: { readonly layers: number; readonly kvHeads: number; readonly headDim: number },
    readonly dtype: FloatType,
    readonly table: KeepTable,
    readonly score: Score | undefined,
    readonly cudaGraphs = true,
  ) {
    this.keeper = new Keeper(table);
    const features = score ? featuresOf(score) : new Set();
    this.readsNorm = features.has("key_norm");
    this.isRandom = features.has("random");
    // What a prefill may need is built now, outside of what is timed.
    if (table.layers.some((rows) => rows.some(([entries, ...kept]) => entries - sum(kept) > 1))) {
      this.compact(false, false);
      if (score) this.compact(false, true);
    }
  }

  /** The session of the step case; the layout is fixed in it. */
  drop(layout: Layout): Session {
    const key = `drop ${layout.capacities}`;
    return this.#session(key, () => buildDropGraph(layout, this.dtype, this.score), this.cudaGraphs);
  }

  /** The session of many-entry eviction. */
  compact(scrambled: boolean, scored: boolean): Session {
    return this.#session(
      `compact ${scrambled} ${scored}`,
      () => buildCompactGraph(this.model.headDim, this.dtype, { scrambled, score: scored ? this.score : undefined }),
    );
  }

  /** The session that computes key norms. */
  norms(): Session {
    return this.#session("norms", () => buildNormGraph(this.model.headDim, this.dtype));
  }

  #session(key: string, build: () => Uint8Array<ArrayBuffer>, cudaGraph = false): Session {
    let session = this.#sessions.get(key);
    if (!session) {
      session = new Session(this.runtime.ort, this.runtime.device, build(), { cudaGraph });
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
