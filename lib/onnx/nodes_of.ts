import type proto from "onnx-proto";

/** Yields a graph, and the branches and loop bodies in it, at any depth. */
export function* graphsIn(graph: proto.onnx.IGraphProto): Generator<proto.onnx.IGraphProto> {
  yield graph;
  for (const { attribute } of graph.node ?? []) {
    for (const { g, graphs } of attribute ?? []) {
      for (const inner of [...(g ? [g] : []), ...(graphs ?? [])]) yield* graphsIn(inner);
    }
  }
}

/** Yields the nodes of a graph, and of the branches and loop bodies in it. */
export function* nodesOf(graph: proto.onnx.IGraphProto): Generator<proto.onnx.INodeProto> {
  for (const { node } of graphsIn(graph)) yield* node ?? [];
}
