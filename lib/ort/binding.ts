import { cString } from "./_c.ts";
import type { Session } from "./session.ts";
import type { Value } from "./value.ts";

/** ORT's graph id for a run that is not captured (onnxruntime_run_options_config_keys.h). */
const NOT_CAPTURED = -1;

/** A session's inputs and outputs bound to memory once, to run as often as wanted. */
export class Binding implements Disposable {
  readonly #handle: Deno.PointerObject;
  readonly #runOptions: Deno.PointerObject;
  readonly #values: Set<Value>;

  /**
   * Binds by name. The values belong to the binding from here on: it releases them.
   *
   * @param capture Make a CUDA graph of it: the first {@linkcode run} runs it three times and records it, later ones
   * replay the record, whatever is bound by then.
   */
  constructor(
    readonly session: Session,
    inputs: Readonly<Record<string, Value>>,
    outputs: Readonly<Record<string, Value>>,
    capture = false,
  ) {
    const { ort } = session;
    this.#handle = ort.create((out) => ort.c.CreateIoBinding(session.handle, out));
    for (const [name, value] of Object.entries(inputs)) {
      ort.check(ort.c.BindInput(this.#handle, cString(name), value.handle));
    }
    for (const [name, value] of Object.entries(outputs)) {
      ort.check(ort.c.BindOutput(this.#handle, cString(name), value.handle));
    }
    this.#values = new Set([...Object.values(inputs), ...Object.values(outputs)]);
    this.#runOptions = ort.create((out) => ort.c.CreateRunOptions(out));
    // The device's one stream orders everything: whoever reads a result waits, no one else.
    const runOptions: Record<string, string> = { disable_synchronize_execution_providers: "1" };
    if (session.capturable) runOptions.gpu_graph_id = String(capture ? session.nextGraphId() : NOT_CAPTURED);
    for (const [key, value] of Object.entries(runOptions)) {
      ort.check(ort.c.AddRunConfigEntry(this.#runOptions, cString(key), cString(value)));
    }
  }

  /** Runs the session once. On CUDA this queues the work in the device's stream. */
  run(): void {
    const { ort, handle } = this.session;
    ort.check(ort.c.RunWithBinding(handle, this.#runOptions, this.#handle));
  }

  [Symbol.dispose](): void {
    const { ort } = this.session;
    ort.c.ReleaseIoBinding(this.#handle);
    ort.c.ReleaseRunOptions(this.#runOptions);
    for (const value of this.#values) value[Symbol.dispose]();
  }
}
