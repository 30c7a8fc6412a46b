import proto from "onnx-proto";
import { type DType, DTYPES } from "../util/dtype.ts";
import { renameAll } from "./include.ts";
import { type Dim, valueInfo } from "./value_info.ts";

export type { Dim } from "./value_info.ts";

const { onnx } = proto;

/** A value of a graph: the output of one node and the input of others. */
export type Tensor = string & { readonly __tensor: unique symbol };

/**
 * A node's attribute. A number is an ONNX int if it is whole, otherwise a float; `{ float }` is a float that may be
 * whole. A list holds ints.
 */
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** Names of a graph's inputs and outputs. */
export type GraphNames = Readonly<Record<"inputs" | "outputs", ReadonlySet<string>>>;

const IR_VERSION = 10;
const MICROSOFT = "com.microsoft";

/** Largest constant that is compared with others, to store equal ones once, bytes. */
const SMALL = 64;

/**
 * An ONNX graph being written. Weights stay in their files: {@linkcode Graph.external} points into them.
 *
 * @example y = x + 1
 * ```ts
 * import { Graph } from "./graph.ts";
 *
 * const g = new Graph("add_one");
 * const x = g.input("x", "float32", ["n"]);
 * g.output("y", g.op("Add", [x, g.scalar(1)]), "float32", ["n"]);
 * const bytes = g.encode();
 * ```
 */
export class Graph {
  readonly #nodes: proto.onnx.INodeProto[] = [];
  readonly #inputs: proto.onnx.IValueInfoProto[] = [];
  readonly #outputs: proto.onnx.IValueInfoProto[] = [];
  readonly #initializers: proto.onnx.ITensorProto[] = [];
  /** All names: of inputs, initializers, results of nodes, and outputs. */
  readonly #names = new Set<string>();
  /** Results of nodes: these can be renamed. */
  readonly #results = new Set<Tensor>();
  /** dtype, shape and bytes of a small constant, or what an external tensor points to → its tensor. */
  readonly #stored = new Map<string, Tensor>();
  /** A node's result → the name of the output that it is. */
  readonly #renamed = new Map<Tensor, string>();
  /** Models whose graphs were included. */
  readonly #included: proto.onnx.IModelProto[] = [];
  #next = 0;

  /**
   * @param name The graph's name, as in ORT's profiles.
   * @param opset Version of ONNX's operators; com.microsoft's are always available.
   */
  constructor(readonly name: string, readonly opset = 21) {}

  /**
   * Declares an input.
   *
   * @param shape A name or null instead of a number for a dimension that is known at run time: `["tokens", 256]`.
   */
  input(name: string, dtype: DType, shape: readonly Dim[]): Tensor {
    this.#inputs.push(valueInfo(this.#name(name), dtype, shape));
    return name as Tensor;
  }

  /** Declares an output. A node's result gets the output's name: no copy is made. */
  output(name: string, tensor: Tensor, dtype: DType, shape: readonly Dim[]): void {
    // Inputs, initializers and what is already an output must keep their name.
    const free = this.#results.has(tensor) && !this.#renamed.has(tensor);
    this.#renamed.set(free ? tensor : this.op("Identity", [tensor]), this.#name(name));
    this.#outputs.push(valueInfo(name, dtype, shape));
  }

  /**
   * Adds a node with one output.
   *
   * @param inputs An empty string is an omitted input.
   * @param domain "com.microsoft" for ORT's own operators.
   */
  op(type: string, inputs: readonly (Tensor | "")[], attributes: Record<string, Attribute> = {}, domain = ""): Tensor {
    return this.ops(type, inputs, 1, attributes, domain)[0]!;
  }

  /** Adds a node with outputs 0 and `last` only; those between are omitted. */
  pair(
    type: string,
    inputs: readonly (Tensor | "")[],
    last: number,
    attributes: Record<string, Attribute> = {},
    domain = "",
  ): [Tensor, Tensor] {
    const outputs = this.ops(type, inputs, last + 1, attributes, domain);
    const names = this.#nodes.at(-1)!.output!;
    for (let i = 1; i < last; i++) {
      names[i] = "";
      this.#results.delete(outputs[i]!);
    }
    return [outputs[0]!, outputs[last]!];
  }

  /** Adds a node with `count` outputs. */
  ops(
    type: string,
    inputs: readonly (Tensor | "")[],
    count: number,
    attributes: Record<string, Attribute> = {},
    domain = "",
  ): Tensor[] {
    const name = this.#freeName(type);
    const output = Array.from({ length: count }, (_, i) => this.#name(i ? `${name}_${i}` : name) as Tensor);
    for (const tensor of output) this.#results.add(tensor);
    this.#nodes.push({
      opType: type,
      name,
      domain,
      input: [...inputs],
      output: [...output],
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
    return output;
  }

  /**
   * Adds a constant; equal small ones are stored once.
   *
   * @param data Little-endian, as on every supported platform. Copied.
   * @throws {RangeError} If the data is not of the shape's size.
   */
  constant(dtype: DType, shape: readonly number[], data: ArrayBufferView): Tensor {
    const wanted = shape.reduce((a, b) => a * b, DTYPES[dtype].bytes);
    if (data.byteLength !== wanted) {
      throw new RangeError(`Cannot make a constant ${dtype}[${shape}] of ${data.byteLength} bytes: it has ${wanted}`);
    }
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const add = () => {
      const name = this.#name(this.#freeName("constant"));
      this.#initializers.push({ name, dataType: DTYPES[dtype].onnx, dims: [...shape], rawData });
      return name as Tensor;
    };
    return rawData.length > SMALL ? add() : this.#once(`${dtype}[${shape}] ${rawData}`, add);
  }

  /** Adds a float32 scalar. */
  scalar(value: number): Tensor {
    return this.constant("float32", [], Float32Array.of(value));
  }

  /** Adds an int64 vector. */
  ints(...values: number[]): Tensor {
    return this.constant("int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Adds 0, 1, 2 … count - 1 as a constant of the given shape. */
  iota(count: number, shape: readonly number[] = [count], dtype: "float32" | "int64" = "float32"): Tensor {
    const data = dtype === "float32"
      ? Float32Array.from({ length: count }, (_, i) => i)
      : BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
    return this.constant(dtype, shape, data);
  }

  /**
   * Adds a tensor that lies in a file; repeated calls return the same one.
   *
   * @param name The tensor's name in the graph.
   * @param file Path relative to the session's weights folder, with "/" between its parts.
   * @param offset First byte in the file; need not be aligned.
   * @param length Bytes.
   * @throws {TypeError} If something else in the graph has the name.
   */
  external(name: string, dtype: DType, shape: readonly number[], file: string, offset: number, length: number): Tensor {
    return this.#once(`external ${name} ${dtype}[${shape}] ${offset} ${length} ${file}`, () => {
      this.#initializers.push({
        name: this.#name(name),
        dataType: DTYPES[dtype].onnx,
        dims: [...shape],
        dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
        externalData: [
          { key: "location", value: file },
          { key: "offset", value: String(offset) },
          { key: "length", value: String(length) },
        ],
      });
      return name as Tensor;
    });
  }

  /**
   * Includes the graph of a model that was read. Its names get a prefix; its opset must be this graph's.
   *
   * @param inputs Its inputs' names → what replaces them here.
   * @param place Returns where an initializer lies from now on.
   * @returns Its outputs by name.
   */
  include(
    model: proto.onnx.IModelProto,
    inputs: ReadonlyMap<string, Tensor>,
    place: (tensor: proto.onnx.ITensorProto) => proto.onnx.ITensorProto = (tensor) => tensor,
  ): Map<string, Tensor> {
    const rename = (name: string) => inputs.get(name) ?? `included/${name}`;
    const { nodes, initializers } = renameAll(model.graph!, rename, place);
    this.#nodes.push(...nodes);
    this.#initializers.push(...initializers);
    this.#included.push(model);
    return new Map((model.graph!.output ?? []).map(({ name }) => [name!, rename(name!) as Tensor]));
  }

  /** Names of the inputs and outputs declared. */
  get names(): GraphNames {
    const names = (infos: readonly proto.onnx.IValueInfoProto[]) => new Set(infos.map(({ name }) => name!));
    return { inputs: names(this.#inputs), outputs: names(this.#outputs) };
  }

  /** Converts to a type; adds nothing if the tensor already has it. */
  cast(x: Tensor, from: DType, to: DType): Tensor {
    return from === to ? x : this.op("Cast", [x], { to: DTYPES[to].onnx });
  }

  /** Gives the same data another shape; one dimension may be -1, and 0 keeps the input's. */
  reshape(x: Tensor, ...shape: number[]): Tensor {
    return this.op("Reshape", [x, this.ints(...shape)]);
  }

  /** Returns the model as protobuf bytes. */
  encode(): Uint8Array<ArrayBuffer> {
    const rename = (name: string) => this.#renamed.get(name as Tensor) ?? name;
    const imports = new Map<string, proto.onnx.IOperatorSetIdProto>();
    for (const { opsetImport } of this.#included) for (const set of opsetImport ?? []) imports.set(set.domain!, set);
    imports.set("", { domain: "", version: this.opset });
    for (const domain of [MICROSOFT, ...this.#nodes.map(({ domain }) => domain || "")]) {
      if (!imports.has(domain)) imports.set(domain, { domain, version: 1 });
    }
    const bytes = onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      producerName: "kvcompress",
      opsetImport: [...imports.values()],
      functions: this.#included.flatMap(({ functions }) => functions ?? []),
      graph: {
        name: this.name,
        input: this.#inputs,
        output: this.#outputs,
        initializer: this.#initializers,
        node: this.#nodes.map((node) => ({
          ...node,
          input: node.input!.map(rename),
          output: node.output!.map(rename),
        })),
      },
    }).finish();
    return new Uint8Array(bytes);
  }

  /** Reserves a name: ORT's message about a name used twice says little. */
  #name(name: string): string {
    if (this.#names.has(name)) throw new TypeError(`Cannot name two things "${name}" in graph ${this.name}`);
    this.#names.add(name);
    return name;
  }

  /** Returns an unused name: a tensor of the checkpoint might have any. */
  #freeName(stem: string): string {
    for (;;) {
      const name = `${stem}_${this.#next++}`;
      if (!this.#names.has(name)) return name;
    }
  }

  #once(key: string, add: () => Tensor): Tensor {
    const known = this.#stored.get(key) ?? add();
    this.#stored.set(key, known);
    return known;
  }
}

function attribute(name: string, value: Attribute): proto.onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === "string") return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === "number") {
    return Number.isInteger(value)
      ? { name, type: AttributeType.INT, i: value }
      : { name, type: AttributeType.FLOAT, f: value };
  }
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if (!value.every(Number.isInteger)) {
    throw new TypeError(`Cannot write attribute "${name}": [${value}] are not all ints`);
  }
  return { name, type: AttributeType.INTS, ints: [...value] };
}
