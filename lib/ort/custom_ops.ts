import { type DType, DTYPES } from "../util/dtype.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import { cString, outPointer, pointerAt } from "./_c.ts";
import type { Device } from "./device.ts";
import type { Ort } from "./ort.ts";

/** A tensor as a custom operator gets it. */
export interface Argument {
  /** Its address in the device's memory. */
  readonly pointer: Deno.PointerValue;
  readonly shape: readonly number[];
}

/** The work of a custom node: it queues the work in the device's stream, or does it at once on the CPU. */
export type Compute = (inputs: readonly Argument[], outputs: readonly Deno.PointerObject[]) => void;

/** An output's type and shape, which may depend on the inputs'. */
export interface OutputSpec {
  readonly dtype: DType;
  readonly shape: readonly number[] | ((inputs: readonly Argument[]) => readonly number[]);
}

/** A custom node. */
interface Call {
  /** How many inputs it has. */
  readonly inputs: number;
  readonly outputs: readonly OutputSpec[];
  readonly compute?: Compute;
  readonly constants?: (inputs: readonly Argument[]) => void;
}

/** A session's kernel for a node, with its inputs that are constants: they stay where they lie. */
interface Kernel {
  readonly call: Call;
  readonly constants: readonly (Argument | undefined)[];
}

/** Name of the custom operators' domain. */
export const DOMAIN = "kvcompress";

/** `OrtCustomOp.version`: the layout written below is that of API version 22; later ones only grew. */
const CUSTOM_OP_VERSION = 22;
/** Function pointers of `OrtCustomOp` (onnxruntime_c_api.h), in their order after the version. */
const CALLBACKS = 25;
const VARIADIC = 2, REQUIRED = 0, ORT_FAIL = 1;

/**
 * Custom operators, whose kernels are JavaScript functions: ONNX Runtime calls them while it runs a graph. What they
 * queue in the stream goes into a CUDA graph that is being captured, so that a replay calls nothing.
 *
 * @example y = 2 x, in TypeScript
 * ```ts
 * import { Graph } from "../onnx/graph.ts";
 * import { CpuDevice } from "./cpu_device.ts";
 * import { CustomOps } from "./custom_ops.ts";
 * import { findOnnxRuntime } from "./find.ts";
 * import { Ort } from "./ort.ts";
 * import { Session } from "./session.ts";
 *
 * const ort = new Ort(findOnnxRuntime().libraryPath);
 * using device = new CpuDevice();
 * using customOps = new CustomOps(ort, device);
 * const g = new Graph("twice");
 * const x = g.input("x", "float32", [3]);
 * const [y] = customOps.call(g, [x], [{ dtype: "float32", shape: [3] }], ([x], [y]) => {
 *   const floats = (at: Deno.PointerValue) => new Float32Array(Deno.UnsafePointerView.getArrayBuffer(at!, 12));
 *   floats(y!).set(floats(x!.pointer).map((v) => 2 * v));
 * });
 * g.output("y", y!, "float32", [3]);
 *
 * using session = new Session(ort, device, g.encode(), { customOps });
 * using memory = device.allocate(32);
 * device.write(memory, 0, Float32Array.of(1, 2, 3));
 * session.runOnce({ x: ["float32", [3], memory, 0] }, { y: ["float32", [3], memory, 16] });
 * const numbers = new Float32Array(3);
 * device.read(memory, 16, numbers);
 * console.log(numbers); // Float32Array(3) [ 2, 4, 6 ]
 * ```
 */
export class CustomOps implements Disposable {
  readonly #calls: Call[] = [];
  readonly #kernels: Kernel[] = [];
  /** Output types → the operator's structure, which ORT keeps pointers to. */
  readonly #operators = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #callbacks: { readonly pointer: Deno.PointerObject; close(): void }[] = [];
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];
  readonly #shared: Map<number, Deno.PointerObject>;
  #domain: Deno.PointerObject | undefined;
  /** What a callback threw since the last check: ORT's status has its message, this the error itself. */
  #thrown: { readonly error: unknown } | undefined;

  constructor(readonly ort: Ort, readonly device: Device) {
    this.#shared = this.#sharedCallbacks();
  }

  /**
   * Adds a node.
   *
   * @param inputs Must be on the device. The node may write to inputs that are bound to a device's memory: the graph
   * does not know, so what reads them afterwards must take one of the node's outputs.
   * @param outputs Their types and shapes.
   */
  call(g: Graph, inputs: readonly Tensor[], outputs: readonly OutputSpec[], compute: Compute): Tensor[] {
    return this.#node(g, inputs, { inputs: inputs.length, outputs, compute });
  }

  /**
   * Adds a node that reports where constants lie on the device, once, when the session is created; it does nothing when
   * it runs. Its output must be an output of the graph, or ORT drops the node; it need not be bound.
   */
  reveal(g: Graph, inputs: readonly Tensor[], constants: (inputs: readonly Argument[]) => void): Tensor {
    return this.#node(g, inputs, {
      inputs: inputs.length,
      outputs: [{ dtype: "float32", shape: [1] }],
      constants,
    })[0]!;
  }

  #node(g: Graph, inputs: readonly Tensor[], call: Call): Tensor[] {
    const index = this.#calls.push(call) - 1;
    const operator = this.#operator(call.outputs.map(({ dtype }) => dtype));
    return g.ops(operator, inputs, call.outputs.length, { call: index }, DOMAIN);
  }

  /** Registers the operators with a session that is being created. */
  register(options: Deno.PointerObject): void {
    const { ort, ort: { c } } = this;
    if (!this.#domain) {
      this.#domain = ort.create((out) => c.CreateCustomOpDomain(cString(DOMAIN), out));
      for (const operator of this.#operators.values()) ort.check(c.CustomOpDomain_Add(this.#domain, operator));
    }
    ort.check(c.AddCustomOpDomain(options, this.#domain));
  }

  /**
   * Throws the error of a call that may have called back. If an operator threw, that is its error, unchanged.
   *
   * @throws {OrtError} If the call failed and no operator threw.
   */
  check(status: Deno.PointerValue): void {
    const thrown = this.#thrown;
    this.#thrown = undefined;
    try {
      this.ort.check(status); // and releases the status
    } catch (error) {
      throw thrown ? thrown.error : error;
    }
  }

  /** Returns the name of the operator that has outputs of these types. */
  #operator(types: readonly DType[]): string {
    const name = `Call_${types.join("_")}`;
    if (this.#operators.has(name)) return name;
    if (this.#domain) throw new TypeError("Cannot add operators: a session has taken them");
    const text = this.#keep(cString(name));
    const own = new Map(this.#shared);
    own.set(1, this.#callback([P], P, () => text)); // GetName
    own.set(5, this.#callback([P, "usize"], "i32", (_, index) => DTYPES[types[Number(index)]!].onnx)); // GetOutputType
    own.set(6, this.#callback([P], "usize", () => BigInt(types.length))); // GetOutputTypeCount
    const operator = new Uint8Array(8 * (1 + CALLBACKS));
    const fields = new BigUint64Array(operator.buffer);
    fields[0] = BigInt(CUSTOM_OP_VERSION);
    for (const [index, pointer] of own) fields[1 + index] = Deno.UnsafePointer.value(pointer);
    this.#operators.set(name, operator);
    return name;
  }

  /** Returns the callbacks that all operators have in common, by index. */
  #sharedCallbacks(): Map<number, Deno.PointerObject> {
    const provider = this.device.kind === "cuda" ? this.#keep(cString("CUDAExecutionProvider")) : null;
    const number = (value: number) => this.#callback([P], "i32", () => value);
    return new Map([
      [2, this.#callback([P], P, () => provider)], // GetExecutionProviderType
      [3, this.#callback([P, "usize"], "i32", () => 0)], // GetInputType: any
      [4, this.#callback([P], "usize", () => 1n)], // GetInputTypeCount
      [8, this.#callback([P], "void", () => {})], // KernelDestroy
      [9, this.#callback([P, "usize"], "i32", () => VARIADIC)], // GetInputCharacteristic
      [10, this.#callback([P, "usize"], "i32", () => REQUIRED)], // GetOutputCharacteristic
      [11, this.#callback([P, "usize"], "i32", () => 0)], // GetInputMemoryType: the device's
      [12, number(1)], // GetVariadicInputMinArity
      [13, number(0)], // GetVariadicInputHomogeneity
      [14, number(1)], // GetVariadicOutputMinArity
      [15, number(0)], // GetVariadicOutputHomogeneity
      [16, this.#callback([P, P, P, P], P, (_op, _api, info, out) => this.#try(() => this.#create(info!, out!)))],
      [17, this.#callback([P, P], P, (kernel, context) => this.#try(() => this.#compute(kernel, context!)))],
      [19, number(1)], // GetStartVersion
      [20, number(0x7fffffff)], // GetEndVersion
    ]);
  }

  /** CreateKernelV2: a kernel's number, from 1 on, serves as its pointer. */
  #create(info: Deno.PointerObject, out: Deno.PointerObject): void {
    const { ort, ort: { c } } = this;
    const number = new BigInt64Array(1);
    ort.check(c.KernelInfoGetAttribute_int64(info, cString("call"), number));
    const call = this.#calls[Number(number[0])]!;
    const constants = Array.from({ length: call.inputs }, (_, i) => {
      const isConstant = new Int32Array(1), value = outPointer();
      ort.check(c.KernelInfoGetConstantInput_tensor(info, BigInt(i), isConstant, value));
      return isConstant[0] && value[0] !== 0n ? new TensorArgument(ort, () => pointerAt(value)!) : undefined;
    });
    const handle = this.#kernels.push({ call, constants });
    new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(out, 8))[0] = BigInt(handle);
    call.constants?.(constants.map((constant, i) => {
      if (!constant) throw new TypeError(`Cannot reveal input ${i}: it is no constant`);
      return constant;
    }));
  }

  #compute(kernel: Deno.PointerValue, context: Deno.PointerObject): void {
    const { ort, ort: { c } } = this;
    const { call: { outputs, compute }, constants } = this.#kernels[Number(Deno.UnsafePointer.value(kernel)) - 1]!;
    if (!compute) return void this.#outputs(context, outputs, []);
    const inputs = constants.map((constant, i) =>
      constant ?? new TensorArgument(ort, () => ort.create((out) => c.KernelContext_GetInput(context, BigInt(i), out)))
    );
    compute(inputs, this.#outputs(context, outputs, inputs));
  }

  /** Allocates a node's outputs. */
  #outputs(context: Deno.PointerObject, outputs: readonly OutputSpec[], inputs: readonly Argument[]) {
    const { ort, ort: { c } } = this;
    return outputs.map(({ shape }, i) => {
      const dims = BigInt64Array.from(typeof shape === "function" ? shape(inputs) : shape, BigInt);
      const value = ort.create((out) => c.KernelContext_GetOutput(context, BigInt(i), dims, BigInt(dims.length), out));
      return ort.create((out) => c.GetTensorMutableData(value, out));
    });
  }

  /** Errors must not pass through C code: an error returns as a status, and is thrown once C code has returned. */
  #try(run: () => void): Deno.PointerValue {
    try {
      run();
      return null;
    } catch (error) {
      this.#thrown = { error };
      return this.ort.c.CreateStatus(ORT_FAIL, cString(error instanceof Error ? error.message : String(error)));
    }
  }

  #callback<const A extends readonly Deno.NativeType[], R extends Deno.NativeResultType>(
    parameters: A,
    result: R,
    run: Deno.UnsafeCallbackFunction<A, R>,
  ): Deno.PointerObject {
    const callback = new Deno.UnsafeCallback({ parameters, result } as Deno.UnsafeCallbackDefinition<A, R>, run);
    this.#callbacks.push(callback as unknown as { pointer: Deno.PointerObject; close(): void });
    return callback.pointer as unknown as Deno.PointerObject;
  }

  #keep(bytes: Uint8Array<ArrayBuffer>): Deno.PointerObject {
    this.#kept.push(bytes);
    return Deno.UnsafePointer.of(bytes)!;
  }

  /** Call it after the sessions are disposed of. */
  [Symbol.dispose](): void {
    if (this.#domain) this.ort.c.ReleaseCustomOpDomain(this.#domain);
    this.#domain = undefined;
    for (const callback of this.#callbacks.splice(0)) callback.close();
  }
}

const P = "pointer";

/** An argument that calls ONNX Runtime only for what is read of it: a call takes longer than the use of its result. */
class TensorArgument implements Argument {
  #value: Deno.PointerObject | undefined;
  #pointer: Deno.PointerObject | undefined;
  #shape: readonly number[] | undefined;

  /** `value` returns the `OrtValue*`. */
  constructor(readonly ort: Ort, readonly value: () => Deno.PointerObject) {}

  get pointer(): Deno.PointerObject {
    const value = this.#value ??= this.value();
    return this.#pointer ??= this.ort.create((out) => this.ort.c.GetTensorMutableData(value, out));
  }

  get shape(): readonly number[] {
    return this.#shape ??= this.#readShape();
  }

  #readShape(): number[] {
    const { ort, ort: { c } } = this;
    const value = this.#value ??= this.value();
    const info = ort.create((out) => c.GetTensorTypeAndShape(value, out));
    try {
      const rank = new BigUint64Array(1);
      ort.check(c.GetDimensionsCount(info, rank));
      const dims = new BigInt64Array(Number(rank[0]));
      ort.check(c.GetDimensions(info, dims, rank[0]!));
      return Array.from(dims, Number);
    } finally {
      c.ReleaseTensorTypeAndShapeInfo(info);
    }
  }
}
