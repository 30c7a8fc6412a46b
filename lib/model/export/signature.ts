import type proto from "onnx-proto";
import { type DType, DTYPES, type FloatType } from "../../util/dtype.ts";
import { InputError } from "../../util/errors.ts";
import { nodesOf } from "../../onnx/nodes_of.ts";
import { printable } from "../../util/printable.ts";
import type { ModelSpec } from "../spec.ts";
import { isFused, rotatesItself } from "./fused_nodes.ts";

/** Inputs and outputs of an exported decoder, as optimum and transformers.js name them. */
export interface ExportSignature {
  /** Layers. */
  readonly layers: number;
  /** Key and value heads. */
  readonly kvHeads: number;
  /** Dimensions of a head. */
  readonly headDim: number;
  /** Columns of the logits, if the graph states them. */
  readonly vocab: number | undefined;
  /** Type of keys and values: the one it computes in, whatever type quantized weights have. */
  readonly cache: FloatType;
  /** Type of the logits. */
  readonly logits: FloatType;
  /** Whether the past is an input; if not, the graph is for a prompt only. */
  readonly hasPast: boolean;
  /** Whether positions are an input; if not, the graph counts them from layer 0's entries. */
  readonly hasPositions: boolean;
  /** Whether attention is ONNX Runtime's fused operator. */
  readonly isFused: boolean;
  /** Whether keys are rotated by the number of entries in each layer, whatever their index in the text. */
  readonly rotatesByLayer: boolean;
  /** Whether it is two graphs in one, with a switch. The one with a past is for a single token. */
  readonly isMerged: boolean;
  /** Types of the inputs, by name. */
  readonly inputs: ReadonlyMap<string, { readonly dtype: DType; readonly rank: number }>;
  /** Version of ONNX's operators. */
  readonly opset: number;
}

/** Inputs other than the past. */
const KNOWN = ["input_ids", "attention_mask", "position_ids", "use_cache_branch", "num_logits_to_keep"];

/** The oldest opset in which the nodes around the graph can be written, and the newest that was checked. */
const OPSETS = { oldest: 11, newest: 26 };

/** Name of an input or output of the cache. */
export const pastName = (layer: number, part: "key" | "value") => `past_key_values.${layer}.${part}`;
/** Name of an output of the cache. */
export const presentName = (layer: number, part: "key" | "value") => `present.${layer}.${part}`;

/**
 * Reads the inputs and outputs of a graph.
 *
 * @param file Its name in messages.
 * @param model The model.
 * @returns Its signature.
 * @throws {InputError} If they are not those of a decoder with a cache.
 */
export function readSignature(file: string, model: proto.onnx.IModelProto): ExportSignature {
  const fail = (why: string): never => {
    throw new InputError(`Cannot use ${file}: ${why}`);
  };
  const graph = model.graph!;
  const stored = new Set(graph.initializer?.map(({ name }) => name));
  const inputs = new Map((graph.input ?? []).filter(({ name }) => !stored.has(name)).map((info) => [info.name!, info]));
  const outputs = new Map((graph.output ?? []).map((info) => [info.name!, info]));

  const presents = [...outputs.keys()].filter((name) => /^present\.\d+\.key$/.test(name)).length;
  if (presents === 0) {
    fail(
      `it gives ${list(outputs.keys())}, and no "${presentName(0, "key")}"; export it with its cache: ` +
        "optimum-cli export onnx --task text-generation-with-past",
    );
  }
  const layers = presents;
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const parts = (of: typeof pastName) => all.flatMap((layer) => [of(layer, "key"), of(layer, "value")]);
  const missing = ["logits", ...parts(presentName)].find((name) => !outputs.has(name));
  if (missing !== undefined) fail(`it has ${layers} outputs "present.N.key", and no "${missing}"`);
  if (!inputs.has("input_ids")) {
    fail(`it takes ${list(inputs.keys())}, and no "input_ids"; it is not a decoder of token ids`);
  }
  const hasPast = inputs.has(pastName(0, "key"));
  const pasts = hasPast ? parts(pastName) : [];
  const noPast = pasts.find((name) => !inputs.has(name));
  if (noPast !== undefined) fail(`it gives ${layers} layers' cache, and takes no "${noPast}"`);
  const unknown = [...inputs.keys()].find((name) => !KNOWN.includes(name) && !pasts.includes(name));
  if (unknown !== undefined) {
    fail(
      `it takes "${printable(unknown, 100)}", which is not known; an exported decoder takes ${KNOWN.join(", ")}, ${
        pastName(0, "key")
      } …`,
    );
  }

  // A traced graph may leave sizes of its outputs unstated.
  const shapes = [...pasts.map((name) => inputs.get(name)!), ...parts(presentName).map((name) => outputs.get(name)!)]
    .map(dimsOf);
  const shape = shapes.find((dims) => typeof dims[1] === "number" && typeof dims[3] === "number") ?? shapes[0]!;
  const [, kvHeads, , headDim] = shape;
  if (shape.length !== 4 || typeof kvHeads !== "number" || typeof headDim !== "number") {
    return fail(`its cache has shape ${shown(shape)}, [batch, KV heads, entries, size of a head] is needed`);
  }
  const odd = shapes.find((dims) => [[1, kvHeads], [3, headDim]].some(([axis, is]) => isOther(dims[axis!], is!)));
  if (odd) return fail(`its cache has shapes ${shown(shape)} and ${shown(odd)}; layers and parts have to be alike`);
  const float = (name: string): FloatType => {
    const dtype = dtypeOf((outputs.get(name) ?? inputs.get(name))!);
    if (dtype === "float32" || dtype === "float16" || dtype === "bfloat16") return dtype;
    return fail(`"${name}" is ${dtype ?? "of an unknown type"}, float32, float16 or bfloat16 is needed`);
  };
  const cache = float(presentName(0, "key"));
  const other = [...parts(presentName), ...pasts].find((name) => float(name) !== cache);
  if (other !== undefined) fail(`"${presentName(0, "key")}" is ${cache} and "${other}" is ${float(other)}`);
  const columns = dimsOf(outputs.get("logits")!).at(-1);
  const opset = Number(model.opsetImport?.find(({ domain }) => !domain || domain === "ai.onnx")?.version ?? 0);
  if (opset < OPSETS.oldest || opset > OPSETS.newest) {
    fail(`it is of ONNX opset ${opset}, ${OPSETS.oldest} to ${OPSETS.newest} are supported; export it with --opset 18`);
  }
  const used = new Set([...nodesOf(graph)].flatMap(({ input }) => input ?? []));
  const rotatesByLayer = rotatesItself(file, graph);
  return {
    layers,
    kvHeads,
    headDim,
    vocab: typeof columns === "number" ? columns : undefined,
    cache,
    logits: float("logits"),
    hasPast,
    hasPositions: used.has("position_ids"),
    isFused: isFused(graph),
    rotatesByLayer,
    isMerged: inputs.has("use_cache_branch"),
    inputs: new Map([...inputs].map(([name, info]) => [
      name,
      {
        dtype: dtypeOf(info) ?? fail(`input "${printable(name, 100)}" is of an unknown type`),
        rank: dimsOf(info).length,
      },
    ])),
    opset,
  };
}

/** Rejects an export of another model than config.json describes. */
export function checkSignature(file: string, signature: ExportSignature, spec: ModelSpec): void {
  const differ = (found: number, name: string, said: number) => {
    if (found === said) return;
    throw new InputError(
      `Cannot use ${file}: it has ${found} ${name}, config.json says ${said}; they are of different models`,
    );
  };
  differ(signature.layers, "layers", spec.layers);
  differ(signature.kvHeads, "KV heads", spec.kvHeads);
  differ(signature.headDim, "dimensions per head", spec.headDim);
  if (signature.vocab !== undefined) differ(signature.vocab, "columns of logits", spec.vocab);
}

/** Whether a dimension is stated and differs. */
function isOther(dim: number | string | undefined, is: number): boolean {
  return typeof dim === "number" && dim !== is;
}

/** Returns the dimensions of an input or output: numbers, or names of those known at run time. */
function dimsOf({ type }: proto.onnx.IValueInfoProto): (number | string)[] {
  return (type?.tensorType?.shape?.dim ?? []).map(({ dimParam, dimValue }) =>
    dimParam ? dimParam : dimValue === null || dimValue === undefined ? "?" : Number(dimValue)
  );
}

function dtypeOf({ type }: proto.onnx.IValueInfoProto): DType | undefined {
  const names = Object.keys(DTYPES) as DType[];
  return names.find((name) => DTYPES[name].onnx === type?.tensorType?.elemType);
}

/** Formats dimensions for a message. */
function shown(dims: readonly (number | string)[]): string {
  return `[${dims.slice(0, 8).map((dim) => printable(`${dim}`, 50)).join(", ")}${dims.length > 8 ? ", …" : ""}]`;
}

function list(names: Iterable<string>): string {
  const all = [...names].map((name) => printable(name, 100));
  return all.length > 4 ? `${all.slice(0, 4).join(", ")} …` : all.join(", ");
}
