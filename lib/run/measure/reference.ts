import { LogitsComparison } from "../../engine/logits_comparison.ts";
import type { LoadedEngine } from "../../engine/load_engine.ts";
import type { Divergence } from "../../report/results/spread_types.ts";
import type { MeasureOrder } from "../child/protocol.ts";
import { DivergenceMeter } from "./divergence_meter.ts";
import { ReferenceWriter } from "./reference_writer.ts";

/** What a sample's logits were used for. */
export interface ReferenceEnd {
  /** Distance from the full cache, if they were compared. */
  readonly divergence?: Divergence;
  /** Why they could not be written. */
  readonly problem?: string;
}

/** The full cache's logits of a quality pass: what is done with them follows from the order. */
export class Reference implements Disposable {
  readonly #comparison: LogitsComparison | undefined;

  constructor(readonly order: MeasureOrder, readonly loaded: LoadedEngine) {
    const { runtime, engine } = loaded;
    if (order.reference?.role === "compare") {
      // Threads of a second session would wait in loops on the cores that steps run on.
      const threads = runtime.device.kind === "cpu" ? 1 : undefined;
      this.#comparison = new LogitsComparison(runtime, engine.model.spec.vocab, threads);
    }
  }

  /** Returns what takes a sample's logits; undefined without a reference. */
  watch(sample: number): ReferenceWriter | DivergenceMeter | undefined {
    const { order: { reference, maxTokens }, loaded: { runtime, engine } } = this;
    if (reference === undefined) return undefined;
    const { paths, plan } = reference;
    const path = paths[sample]!;
    return this.#comparison
      ? new DivergenceMeter(this.#comparison, path, plan, maxTokens)
      : new ReferenceWriter(runtime.device, path, engine.model.spec.vocab, plan);
  }

  /** Ends a sample's pass. */
  finish(watch: ReferenceWriter | DivergenceMeter | undefined): ReferenceEnd {
    if (watch instanceof DivergenceMeter) return { divergence: watch.finish() };
    const problem = watch?.finish();
    return problem === undefined ? {} : { problem };
  }

  [Symbol.dispose](): void {
    this.#comparison?.[Symbol.dispose]();
  }
}
