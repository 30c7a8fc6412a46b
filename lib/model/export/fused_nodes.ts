import type proto from "onnx-proto";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { nodesOf } from "../../onnx/nodes_of.ts";

/** ORT's fused attention, as in exports of its model builder: numbers, not a mask, tell it which entries are valid. */
const FUSED = "GroupQueryAttention";
/** Indices of its inputs: the layer's past, its last valid entry, and the number of entries. */
const PAST = 3, LAST = 5, TOTAL = 6, POSITIONS = 9;

/** Returns the nodes of fused attention in a graph, its branches included. */
function* fusedNodes(graph: proto.onnx.IGraphProto): Generator<proto.onnx.INodeProto> {
  for (const node of nodesOf(graph)) if (node.opType === FUSED) yield node;
}

/** Whether a graph has fused attention. */
export function isFused(graph: proto.onnx.IGraphProto): boolean {
  return !fusedNodes(graph).next().done;
}

/**
 * Whether fused attention rotates keys itself, by the number of entries in each layer.
 *
 * @throws {InputError} If it rotates by given positions: some of ORT's kernels ignore them.
 */
export function rotatesItself(file: string, graph: proto.onnx.IGraphProto): boolean {
  const rotating = [...fusedNodes(graph)].filter(({ attribute }) =>
    attribute?.some(({ name, i }) => name === "do_rotary" && Number(i) === 1)
  );
  if (rotating.some(({ input }) => input![POSITIONS])) {
    throw new InputError(
      `Cannot use ${file}: its ${FUSED} rotates by position_ids, which some of ONNX Runtime's kernels ignore; ` +
        "export it with rotary embedding outside of attention",
    );
  }
  return rotating.length > 0;
}

/**
 * Gives each layer's fused attention its own numbers. Exports give all layers those of the mask: in a layer that holds
 * fewer entries, attention would read past their end.
 *
 * @param file The graph's name in messages.
 * @param graph The graph; it is changed.
 * @param names Returns the names of a layer's numbers.
 */
export function tellEachLayer(
  file: string,
  graph: proto.onnx.IGraphProto,
  names: (layer: number) => { readonly last: string; readonly total: string },
): void {
  for (const { input } of fusedNodes(graph)) {
    const layer = input![PAST]?.match(/^past_key_values\.(\d+)\.key$/)?.[1];
    if (layer === undefined) {
      throw new InputError(
        `Cannot use ${file}: a node ${FUSED} takes "${printable(input![PAST] ?? "", 100)}", not a layer's past`,
      );
    }
    const { last, total } = names(Number(layer));
    input![LAST] = last;
    input![TOTAL] = total;
  }
}
