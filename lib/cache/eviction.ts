import type { FloatType } from "../dtype.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session, type View } from "../ort/session.ts";
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

  /**
   * Runs each session once on next to nothing, so that what it takes for itself on the device (cuBLAS's and cuDNN's
   * handles, kernels' code) is there before the model's memory is counted.
   */
  wake(): void {
    const { device, host } = this.runtime;
    const { headDim } = this.model;
    using memory = device.allocate(4096 + 64 * headDim);
    using counts = host.allocate(64);
    host.write(counts, 0, BigInt64Array.of(3n, 1n, 2n, 1n, 0n, 0n, 0n, 0n)); // entries, sink, end, heavy, pads
    const onHost = (index: number, length = 1): View => ["int64", [length], counts, 8 * index, host];
    const cache: View = [this.dtype, [4, headDim], memory, 4096];
    const column: View = ["int64", [1, 1], memory, 0];
    const perSlot: View = ["float32", [1, 3], memory, 1024];
    for (const [form, session] of this.#sessions) {
      const [scrambled, scored] = form.split(" ").map((word) => word === "true");
      const random = scored && this.isRandom;
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
        ...(scrambled ? { rank: perSlot } : {}),
        ...(random ? { draw: ["int64", [1], memory, 0], row: column } : {}),
        ...(this.readsNorm ? { pads: onHost(4, 4) } : {}),
      }, {
        "kept_keys'": cache,
        "kept_values'": cache,
        ...(this.readsNorm ? { key_norm: ["float32", [1, scored ? 3 : 2], memory, 2048] } : {}),
      });
    }
    device.synchronize();
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
