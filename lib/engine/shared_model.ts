import type { DecoderOptions } from "../model/graph/decoder_options.ts";
import type { Engine } from "./engine.ts";
import { LoadedGraph, type PassGraphs } from "./loaded_graph.ts";
import type { LoadedModel } from "./loaded_model.ts";

/**
 * The model of an engine with another graph, in a session of its own, for passes over the cache of the engine's
 * sequences: see {@linkcode Sequence.addPass}. Dispose of it after the sequences, and before the engine.
 */
export abstract class SharedModel implements LoadedModel, Disposable {
  readonly graphs: PassGraphs;
  readonly ownSteps = false;
  readonly captured = false;
  abstract readonly attention: LoadedModel["attention"];
  abstract readonly logits: LoadedModel["logits"];

  /**
   * Loads the model once more.
   *
   * @param engine What runs the other passes.
   * @param own What differs from the engine's own decoder.
   */
  constructor(readonly engine: Engine, own: Partial<DecoderOptions>) {
    const { runtime, options: { threads }, weights } = engine;
    const decoder = engine.decoder(undefined, own);
    this.graphs = {
      step: [new LoadedGraph(runtime, decoder, { cudaGraph: false, threads, initializers: weights?.values })],
    };
  }

  get runtime(): Engine["runtime"] {
    return this.engine.runtime;
  }

  get model(): Engine["model"] {
    return this.engine.model;
  }

  get eviction(): Engine["eviction"] {
    return this.engine.eviction;
  }

  get numbering(): Engine["numbering"] {
    return this.engine.numbering;
  }

  get groups(): Engine["groups"] {
    return this.engine.groups;
  }

  get window(): Engine["window"] {
    return this.engine.window;
  }

  [Symbol.dispose](): void {
    for (const graph of this.graphs.step) graph[Symbol.dispose]();
  }
}
