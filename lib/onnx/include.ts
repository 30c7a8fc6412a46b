import type proto from "onnx-proto";

/** The renamed parts of a graph that was read. */
export interface Renamed {
  readonly nodes: proto.onnx.INodeProto[];
  readonly initializers: proto.onnx.ITensorProto[];
}

/**
 * Renames everything in a graph, its branches and loop bodies included. Omits the shapes that it states for inner
 * tensors, which ONNX Runtime infers itself.
 *
 * @param graph A graph that was read; it is not changed.
 * @param rename Returns the new name of a name.
 * @param place Returns where an initializer lies from now on.
 * @returns Its nodes and initializers.
 */
export function renameAll(
  graph: proto.onnx.IGraphProto,
  rename: (name: string) => string,
  place: (tensor: proto.onnx.ITensorProto) => proto.onnx.ITensorProto,
): Renamed {
  // An empty name is an omitted input or output.
  const name = (old: string | null | undefined) => old ? rename(old) : "";
  const value = (info: proto.onnx.IValueInfoProto) => ({ ...info, name: name(info.name) });
  const inner = (graph: proto.onnx.IGraphProto): proto.onnx.IGraphProto => {
    const { nodes, initializers } = renameAll(graph, rename, place);
    return {
      name: graph.name!,
      node: nodes,
      initializer: initializers,
      input: graph.input?.map(value) ?? [],
      output: graph.output?.map(value) ?? [],
    };
  };
  return {
    nodes: (graph.node ?? []).map((node) => ({
      opType: node.opType!,
      domain: node.domain ?? "",
      name: name(node.name),
      input: node.input?.map(name) ?? [],
      output: node.output?.map(name) ?? [],
      attribute: node.attribute?.map((a) => ({
        ...a,
        ...(a.g ? { g: inner(a.g) } : {}),
        ...(a.graphs?.length ? { graphs: a.graphs.map(inner) } : {}),
      })) ?? [],
    })),
    initializers: (graph.initializer ?? []).map((tensor) => ({ ...place(tensor), name: name(tensor.name) })),
  };
}
