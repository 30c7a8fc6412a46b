import { Graph } from "../../lib/onnx/graph.ts";
import { CpuDevice } from "../../lib/ort/cpu_device.ts";
import { findOnnxRuntime } from "../../lib/ort/find.ts";
import { Ort } from "../../lib/ort/ort.ts";

/** The real library and the host's memory, for tests. */
export const ort = new Ort(findOnnxRuntime().libraryPath);
export const device = new CpuDevice();

/** y = x + 1. */
export function addOne(): Uint8Array<ArrayBuffer> {
  const g = new Graph("add_one");
  const x = g.input("x", "float32", ["n"]);
  g.output("y", g.op("Add", [x, g.scalar(1)]), "float32", ["n"]);
  return g.encode();
}
