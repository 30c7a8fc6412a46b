import { cString } from "./_c.ts";
import { Handle } from "./_handle.ts";
import type { Ort } from "./ort.ts";
import type { Value } from "./value.ts";

/** The parts of {@linkcode Session} that a binding uses. */
export interface BoundSession {
  readonly ort: Ort;
  /** The `OrtSession*`. */
  readonly handle: Deno.PointerObject;
  /** Whether its bindings can be captured as CUDA graphs. */
  readonly capturable: boolean;
  /** Returns a graph id that no other binding of the session has. */
  nextGraphId(): number;
  /** Throws the error of an `OrtStatus*`, or what a custom operator threw meanwhile. */
  check(status: Deno.PointerValue): void;
}

/** ORT's graph id for a run that is not captured (onnxruntime_run_options_config_keys.h). */
const NOT_CAPTURED = -1;

/**
 * A session's inputs and outputs, bound to memory once for any number of runs.
 *
 * @example x = x + 1, in place
 * ```ts
 * import { Graph } from "../onnx/graph.ts";
 * import { Binding } from "./binding.ts";
 * import { CpuDevice } from "./cpu_device.ts";
 * import { findOnnxRuntime } from "./find.ts";
 * import { Ort } from "./ort.ts";
 * import { Session } from "./session.ts";
 * import { Value } from "./value.ts";
 *
 * const g = new Graph("add_one");
 * const x = g.input("x", "float32", ["n"]);
 * g.output("y", g.op("Add", [x, g.scalar(1)]), "float32", ["n"]);
 *
 * const ort = new Ort(findOnnxRuntime().libraryPath);
 * using device = new CpuDevice();
 * using session = new Session(ort, device, g.encode());
 * using memory = device.allocate(8);
 * const value = Value.of(ort, device, memory, "float32", [2]);
 * using binding = new Binding(session, { x: value }, { y: value });
 * binding.run();
 * binding.run();
 * const numbers = new Float32Array(2);
 * device.read(memory, 0, numbers);
 * console.log(numbers); // Float32Array(2) [ 2, 2 ]
 * ```
 */
export class Binding implements Disposable {
  readonly #binding: Handle;
  readonly #runOptions: Handle;
  /** One value may be an input and an output. */
  readonly #values: ReadonlySet<Value>;

  /**
   * Binds by name. The binding owns the values from here on: it releases them, even if it cannot be created.
   *
   * @param session Must be disposed of after the binding.
   * @param inputs Input's name → its tensor.
   * @param outputs Output's name → where it is written.
   * @param capture Capture it as a CUDA graph: the first {@linkcode run} runs it three times and records it, later ones
   * replay the record, whatever is bound by then.
   * @throws {OrtError} If the session has no input or output of a given name.
   */
  constructor(
    readonly session: BoundSession,
    inputs: Readonly<Record<string, Value>>,
    outputs: Readonly<Record<string, Value>>,
    capture = false,
  ) {
    this.#values = new Set([...Object.values(inputs), ...Object.values(outputs)]);
    const { ort, ort: { c } } = session;
    using made = new DisposableStack();
    for (const value of this.#values) made.use(value);
    const pointer = ort.create((out) => c.CreateIoBinding(session.handle, out));
    const held = [session, this.#values]; // what the binding points to
    this.#binding = made.use(
      new Handle("a binding", pointer, (pointer) => {
        c.ReleaseIoBinding(pointer);
        held.length = 0;
      }),
    );
    for (const [name, value] of Object.entries(inputs)) ort.check(c.BindInput(pointer, cString(name), value.handle));
    for (const [name, value] of Object.entries(outputs)) ort.check(c.BindOutput(pointer, cString(name), value.handle));
    const options = ort.create((out) => c.CreateRunOptions(out));
    this.#runOptions = made.use(new Handle("run options", options, (pointer) => c.ReleaseRunOptions(pointer)));
    const runOptions: Record<string, string> = {};
    if (session.capturable) runOptions.gpu_graph_id = String(capture ? session.nextGraphId() : NOT_CAPTURED);
    // The device's one stream orders everything: a replay need not wait. Any other run must: otherwise ORT frees its
    // pinned memory in a callback of the stream, where CUDA does not allow such a call, and the process ends.
    if (session.capturable && capture) runOptions.disable_synchronize_execution_providers = "1";
    for (const [key, value] of Object.entries(runOptions)) {
      ort.check(c.AddRunConfigEntry(options, cString(key), cString(value)));
    }
    made.move(); // all went well: nothing is released here
  }

  /**
   * Runs the session once. On CUDA this queues the work in the device's stream.
   *
   * @throws {OrtError} If an input is missing or of the wrong type or shape, or a node fails; what a custom operator
   * throws is passed on unchanged.
   */
  run(): void {
    const { session, session: { ort, handle } } = this;
    session.check(ort.c.RunWithBinding(handle, this.#runOptions.pointer, this.#binding.pointer));
  }

  [Symbol.dispose](): void {
    this.#binding[Symbol.dispose]();
    this.#runOptions[Symbol.dispose]();
    for (const value of this.#values) value[Symbol.dispose]();
  }
}
