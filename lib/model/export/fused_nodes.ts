import type proto from "onnx-proto";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { nodesOf } from "../../onnx/nodes_of.ts";

/** ORT's fused attention, as in exports of its model builder: it is told by numbers, not by a mask, what counts. */
const FUSED = "GroupQueryAttention";
/** Places of its inputs: the layer's past, its last valid entry, and how many entries there are. */
const PAST = 3, LAST = 5, TOTAL = 6, POSITIONS = 9;

/** The nodes of fused attention in a graph, its branches included. */
function* fusedNodes(graph: proto.onnx.IGraphProto): Generator<proto.onnx.INodeProto> {
  for (const node of nodesOf(graph)) if (node.opType === FUSED) yield node;
}

/** Whether a graph has fused attention. */
export function isFused(graph: proto.onnx.IGraphProto): boolean {
  return !fusedNodes(graph).next().done;
}

/**
 * Whether fused attention rotates keys itself, by what each layer holds.
 *
 * @throws {InputError} If it rotates by positions given: not all of ORT's kernels heed them.
 */
export function rotatesItself(file: string, graph: proto.onnx.IGraphProto): boolean {
  const rotating = [...fusedNodes(graph)].filter(({ attribute }) =>
    attribute?.some(({ name, i }) => name === "do_rotary" && Number(i) === 1)
  );
  if (rotating.some(({ input }) => input![POSITIONS])) {
    throw new InputError(
      `Cannot use ${file}: its ${FUSED} rotates by position_ids, which ONNX Runtime does not heed everywhere; ` +
        "export it with rotary embedding outside of attention",
    );
  }
  return rotating.length > 0;
}

/**
 * Has each layer's fused attention told its own numbers. Exports tell all layers those of the mask, which would have it
 * read past the end of what a layer holds that holds less.
 *
 * @param file What messages call the graph.
 * @param graph The graph; it is changed.
 * @param names From a layer to what its numbers are called.
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
