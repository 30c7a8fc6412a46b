import { DTYPES } from "../../util/dtype.ts";
import { Graph, type Tensor } from "../../onnx/graph.ts";
import type { Decoder } from "../graph/decoder_options.ts";
import type { Rope } from "../graph/rope/rope.ts";
import { tellEachLayer } from "./fused_nodes.ts";
import type { ExportGraph } from "./onnx_export.ts";
import { readOnnxFile } from "./onnx_file.ts";
import { pastName, presentName } from "./signature.ts";
import { KeyTurner } from "./turn_keys.ts";

/** What the nodes around an exported graph are built for. */
export interface ExportOptions {
  /** Layer → its length group: see DecoderOptions. */
  readonly groups: readonly number[];
  /** Whether to output the logits of every input token. */
  readonly logits: boolean;
  /**
   * How keys are turned, and how far, if positions are places in the cache. Omitted if keys stay as the export has
   * them.
   */
  readonly turned?: { readonly rope: Rope; readonly positions: number } | undefined;
}

/**
 * Connects an exported decoder to the cache and to what follows a pass. Exports take a past of exactly the valid
 * entries and return it longer; the cache has buffers of fixed size. So entries are sliced from the buffers before the
 * export, and the new ones are written to them after it. The export itself is unchanged and stays in its file.
 *
 * If positions are places in the cache, keys lie in it as if at position 0: they are turned forward before the graph,
 * and back after it.
 *
 * Inputs: `input_ids` int64 `[tokens]`; `position_ids` int64 `[1, tokens]` if the export takes them; for each group of
 * layers, on the host, `past.g` int64 `[1]`, the number of valid entries; for each layer l `past_key.l`, `past_value.l`
 * `[1, kvHeads, capacity, headDim]`, to be bound to the same memory as the outputs `present_key.l`, `present_value.l`;
 * if keys are turned, `ranks.l` float32 `[kvHeads, capacity]`, the rank of each slot's entry in text order.
 *
 * Outputs: `last_logits` float32 `[1, vocab]`, of the last new token; `logits` `[tokens, vocab]` if requested.
 *
 * @param graph The export.
 * @param options What the nodes around it are built for.
 * @returns The graph, in the export's opset, and where its weights are.
 */
export function buildExport({ path, signature }: ExportGraph, { groups, logits: all, turned }: ExportOptions): Decoder {
  const { model, folder, place, bytes } = readOnnxFile(path);
  const { layers, kvHeads, headDim, cache, opset, inputs } = signature;
  const g = new Graph("export", opset);
  const ids = g.input("input_ids", "int64", ["tokens"]);
  const tokens = g.op("Shape", [ids]);
  const pasts = Array.from(
    { length: Math.max(...groups) + 1 },
    (_, group) => g.input(`past.${group}`, "int64", [1]),
  );
  // One mask and one count of positions serve all layers: the first layer's, which is the longest.
  const past = pasts[groups[0]!]!;
  const total = g.op("Add", [past, tokens]);

  const feeds = new Map<string, Tensor>();
  const feed = (name: string, tensor: () => Tensor) => {
    const wanted = inputs.get(name);
    if (wanted) feeds.set(name, g.cast(tensor(), "int64", wanted.dtype));
  };
  feed("input_ids", () => g.reshape(ids, 1, -1));
  feed("position_ids", () => signature.hasPositions ? g.input("position_ids", "int64", [1, "tokens"]) : ids);
  const ones = g.constant("int64", [1, 1], BigInt64Array.of(1n));
  feed("attention_mask", () => g.op("Expand", [ones, g.op("Concat", [g.ints(1), total], { axis: 0 })]));
  const rows = BigInt64Array.of(all ? 0n : 1n);
  feed("num_logits_to_keep", () => g.constant("int64", inputs.get("num_logits_to_keep")!.rank === 0 ? [] : [1], rows));
  if (signature.isMerged) feeds.set("use_cache_branch", g.op("Greater", [past, g.ints(0)]));

  const turner = turned && new KeyTurner(g, { ...turned, kvHeads, headDim, dtype: cache });
  /**
   * Position of a layer's first new token, as the export counts. Kept keys are turned to the positions right before it.
   */
  const first = (layer: number) => signature.rotatesByLayer ? pasts[groups[layer]!]! : past;
  const buffers = Array.from({ length: layers }, (_, layer) =>
    (["key", "value"] as const).map((part) => {
      const shape = [1, kvHeads, `capacity.${groups[layer]}`, headDim];
      const buffer = g.input(`past_${part}.${layer}`, cache, shape);
      const held = pasts[groups[layer]!]!;
      const entries = (count: Tensor, of = buffer) => g.op("Slice", [of, g.ints(0), count, g.ints(2)]);
      if (signature.hasPast) feeds.set(pastName(layer, part), part === "key" ? seen(entries, layer) : entries(held));
      return { layer, part, shape, buffer, held };
    })).flat();
  // Feeds have the export's names. These names do not occur in it.
  const told = (layer: number) => ({
    last: `kvcompress.last.${groups[layer]}`,
    total: `kvcompress.total.${groups[layer]}`,
  });
  tellEachLayer(path, model.graph!, told);
  pasts.forEach((past, group) => {
    const total = g.op("Add", [past, tokens]);
    feeds.set(`kvcompress.total.${group}`, g.cast(total, "int64", "int32"));
    feeds.set(`kvcompress.last.${group}`, g.cast(g.op("Sub", [total, g.ints(1)]), "int64", "int32"));
  });
  const given = g.include(model, feeds, place);

  /** Returns a layer's past keys as the export expects them. */
  function seen(keys: (count: Tensor, of?: Tensor) => Tensor, layer: number): Tensor {
    const held = pasts[groups[layer]!]!;
    if (!turner) return keys(held);
    // At least one: a GPU cannot launch a kernel over nothing.
    const some = g.op("Add", [held, g.op("Cast", [g.op("Equal", [held, g.ints(0)])], { to: DTYPES.int64.onnx })]);
    const ranks = g.input(`ranks.${layer}`, "float32", [kvHeads, `capacity.${groups[layer]}`]);
    const rank = g.cast(g.op("Slice", [ranks, g.ints(0), some, g.ints(1)]), "float32", "int64");
    const positions = g.op("Add", [rank, g.op("Sub", [first(layer), held])]);
    return keys(held, turner.turn(keys(some), positions, "on"));
  }

  /** Returns a layer's new keys as the cache stores them. */
  function kept(keys: Tensor, layer: number): Tensor {
    if (!turner) return keys;
    const zeros = g.constant("int64", [kvHeads, 1], new BigInt64Array(kvHeads));
    return turner.turn(keys, g.op("Add", [zeros, rangeOf(g, first(layer), tokens)]), "back");
  }

  const places = pasts.map((past) => placesOf(g, past, tokens, kvHeads));
  for (const { layer, part, shape, buffer, held } of buffers) {
    const fresh = g.op("Slice", [given.get(presentName(layer, part))!, held, g.ints(END), g.ints(2)]);
    const entries = part === "key" ? kept(fresh, layer) : fresh;
    const written = g.op("ScatterND", [buffer, places[groups[layer]!]!, entries]);
    g.output(`present_${part}.${layer}`, written, cache, shape);
  }
  const logits = given.get("logits")!; // [1, tokens, vocab]
  const last = g.op("Slice", [logits, g.ints(-1), g.ints(END), g.ints(1)]);
  const flat = (x: Tensor) => {
    const shape = g.op("Slice", [g.op("Shape", [x]), g.ints(1), g.ints(3)]);
    return g.cast(g.op("Reshape", [x, shape]), signature.logits, "float32");
  };
  g.output("last_logits", flat(last), "float32", [1, "vocab"]);
  if (all) g.output("logits", flat(logits), "float32", ["tokens", "vocab"]);
  return { bytes: g.encode(), weightsFolder: folder, weightBytes: bytes, names: g.names };
}

/** Past the end of any dimension. */
const END = Number.MAX_SAFE_INTEGER;

/** `tokens` numbers from `first` on, int64 `[tokens]`. */
function rangeOf(g: Graph, first: Tensor, tokens: Tensor): Tensor {
  const scalar = (x: Tensor) => g.op("Reshape", [x, g.constant("int64", [0], new BigInt64Array())]);
  const one = g.constant("int64", [], BigInt64Array.of(1n));
  return g.op("Range", [scalar(first), scalar(g.op("Add", [first, tokens])), one]);
}

/** Returns where the new entries go, as indices of a layer's buffer: int64 `[1, kvHeads, tokens, 3]`. */
function placesOf(g: Graph, past: Tensor, tokens: Tensor, kvHeads: number): Tensor {
  const heads = g.iota(kvHeads, [1, kvHeads, 1, 1], "int64");
  const zeros = g.constant("int64", [1, kvHeads, 1, 1], new BigInt64Array(kvHeads));
  const slot = g.op("Add", [g.reshape(rangeOf(g, past, tokens), 1, 1, -1, 1), zeros]); // [1, kvHeads, tokens, 1]
  const none = g.op("Sub", [slot, slot]);
  return g.op("Concat", [none, g.op("Add", [none, heads]), slot], { axis: 3 });
}
