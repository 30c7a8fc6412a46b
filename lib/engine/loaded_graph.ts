import type { Decoder } from "../model/graph/decoder_options.ts";
import { Binding } from "../ort/binding.ts";
import type { CustomOps } from "../ort/custom_ops.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session, type SessionOptions } from "../ort/session.ts";
import type { Value } from "../ort/value.ts";

/** The graphs that one pass runs, in order. */
export interface PassGraphs {
  readonly step: readonly [LoadedGraph, ...LoadedGraph[]];
  /** Graphs for passes of several tokens, if these have their own. */
  readonly prompt?: readonly [LoadedGraph, ...LoadedGraph[]];
  /** The graph that verifies drafted tokens, if there is one. */
  readonly rows?: LoadedGraph | undefined;
}

/** A graph in a session; it picks its own from a pass's inputs and outputs. */
export class LoadedGraph implements Disposable {
  readonly session: Session;

  constructor(
    runtime: Runtime,
    readonly decoder: Decoder,
    { cudaGraph, threads, customOps, initializers, growing = false, profile }: {
      readonly cudaGraph: boolean;
      /** See SessionOptions. */
      readonly initializers?: ReadonlyMap<string, Value> | undefined;
      /** See SessionOptions. */
      readonly growing?: boolean;
      readonly threads?: number | undefined;
      readonly customOps?: CustomOps | undefined;
      readonly profile?: string | undefined;
    },
  ) {
    const options: SessionOptions = { cudaGraph, growing, ...(threads === undefined ? {} : { threads }) };
    if (profile !== undefined) options.profile = profile;
    if (customOps) options.customOps = customOps;
    if (initializers) options.initializers = initializers;
    if (decoder.weightsFolder !== "") options.weightsFolder = decoder.weightsFolder;
    this.session = new Session(runtime.ort, runtime.device, decoder.bytes, options);
  }

  /** Binds the tensors that the graph takes and gives. They belong to the binding from then on. */
  bind(inputs: Record<string, Value>, outputs: Record<string, Value>, capture: boolean): Binding {
    const { names } = this.decoder;
    const own = (values: Record<string, Value>, names: ReadonlySet<string>) =>
      Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
    return new Binding(this.session, own(inputs, names.inputs), own(outputs, names.outputs), capture);
  }

  [Symbol.dispose](): void {
    this.session[Symbol.dispose]();
  }
}
