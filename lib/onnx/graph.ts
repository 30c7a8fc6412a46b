import proto from "onnx-proto";
import { type DType, DTYPES } from "../dtype.ts";

const { onnx } = proto;

/** A value of a graph: what a node gives and another takes. */
export type Tensor = string & { readonly __tensor: unique symbol };

/** A dimension: a number, or a name for one that is known at run time. */
export type Dim = number | string;

/** A node's attribute. A number is an ONNX int where it is whole; use `{ float }` for a float that may be whole. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

const IR_VERSION = 10;

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
  readonly #constants = new Map<string, Tensor>();
  readonly #renamed = new Map<string, string>();
  #next = 0;

  /** `opset` is ONNX's; com.microsoft is always there. */
  constructor(readonly name: string, readonly opset = 21) {}

  /** Declares an input. */
  input(name: string, dtype: DType, shape: readonly Dim[]): Tensor {
    this.#inputs.push(valueInfo(name, dtype, shape));
    return name as Tensor;
  }

  /** Declares a node's result as an output, under the output's name: no copy is made. */
  output(name: string, tensor: Tensor, dtype: DType, shape: readonly Dim[]): void {
    this.#renamed.set(tensor, name);
    this.#outputs.push(valueInfo(name, dtype, shape));
  }

  /** Adds a node with one output. An empty string is an input left out. */
  op(type: string, inputs: readonly (Tensor | "")[], attributes: Record<string, Attribute> = {}, domain = ""): Tensor {
    return this.ops(type, inputs, 1, attributes, domain)[0]!;
  }

  /** Adds a node with `count` outputs. */
  ops(
    type: string,
    inputs: readonly (Tensor | "")[],
    count: number,
    attributes: Record<string, Attribute> = {},
    domain = "",
  ): Tensor[] {
    const id = this.#next++;
    const output = Array.from({ length: count }, (_, i) => `${type}_${id}${i ? `_${i}` : ""}`);
    this.#nodes.push({
      opType: type,
      name: `${type}_${id}`,
      domain,
      input: [...inputs],
      output,
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
    return output as Tensor[];
  }

  /** A constant; equal ones are stored once. */
  constant(dtype: DType, shape: readonly number[], data: ArrayBufferView): Tensor {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const key = raw.length <= 64 ? `${dtype}[${shape}]${raw}` : undefined;
    const known = key && this.#constants.get(key);
    if (known) return known;
    const name = `constant_${this.#next++}` as Tensor;
    this.#initializers.push({ name, dataType: DTYPES[dtype].onnx, dims: [...shape], rawData: raw });
    if (key) this.#constants.set(key, name);
    return name;
  }

  /** A float32 scalar. */
  scalar(value: number): Tensor {
    return this.constant("float32", [], Float32Array.of(value));
  }

  /** An int64 vector. */
  ints(...values: number[]): Tensor {
    return this.constant("int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  /** 0, 1, 2 … count - 1 as a constant of the given shape. */
  iota(count: number, shape: readonly number[] = [count], dtype: "float32" | "int64" = "float32"): Tensor {
    const data = dtype === "float32"
      ? Float32Array.from({ length: count }, (_, i) => i)
      : BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
    return this.constant(dtype, shape, data);
  }

  /** A tensor that lies in a file: `length` bytes from `offset`. */
  external(name: string, dtype: DType, shape: readonly number[], file: string, offset: number, length: number): Tensor {
    if (!this.#constants.has(`external ${name}`)) {
      this.#initializers.push({
        name,
        dataType: DTYPES[dtype].onnx,
        dims: [...shape],
        dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
        externalData: [
          { key: "location", value: file },
          { key: "offset", value: String(offset) },
          { key: "length", value: String(length) },
        ],
      });
      this.#constants.set(`external ${name}`, name as Tensor);
    }
    return name as Tensor;
  }

  /** Converts to a type; nothing where it already has it. */
  cast(x: Tensor, from: DType, to: DType): Tensor {
    return from === to ? x : this.op("Cast", [x], { to: DTYPES[to].onnx });
  }

  /** The shape given to the same data; one dimension may be -1, and 0 keeps the input's. */
  reshape(x: Tensor, ...shape: number[]): Tensor {
    return this.op("Reshape", [x, this.ints(...shape)]);
  }

  /** The model as protobuf bytes. */
  encode(): Uint8Array<ArrayBuffer> {
    const rename = (name: string) => this.#renamed.get(name) ?? name;
    const bytes = onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      producerName: "kvcompress",
      opsetImport: [{ domain: "", version: this.opset }, { domain: "com.microsoft", version: 1 }],
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
}

function valueInfo(name: string, dtype: DType, shape: readonly Dim[]): proto.onnx.IValueInfoProto {
  const dim = shape.map((d) => typeof d === "number" ? { dimValue: d } : { dimParam: d });
  return { name, type: { tensorType: { elemType: DTYPES[dtype].onnx, shape: { dim } } } };
}

function attribute(name: string, value: Attribute): proto.onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === "string") return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === "object" && "float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if (typeof value === "object") return { name, type: AttributeType.INTS, ints: [...value] };
  if (Number.isInteger(value)) return { name, type: AttributeType.INT, i: value };
  return { name, type: AttributeType.FLOAT, f: value };
}
