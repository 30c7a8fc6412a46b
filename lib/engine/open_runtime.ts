import { join } from "@std/path";
import { cudaMajorOf } from "../cuda/provider.ts";
import { preloadCudaLibraries } from "../cuda/preload.ts";
import { CudaRuntime } from "../cuda/runtime.ts";
import { InputError } from "../util/errors.ts";
import { CpuDevice } from "../ort/cpu_device.ts";
import { CudaDevice } from "../ort/cuda_device.ts";
import { findOnnxRuntime, type OrtLocation } from "../ort/find.ts";
import { Ort } from "../ort/ort.ts";
import { Graph } from "../onnx/graph.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session } from "../ort/session.ts";
import { loadCudaProvider } from "../ort/load_provider.ts";

/** An opened {@linkcode Runtime}, and where its library came from. */
export interface OpenedRuntime extends Runtime {
  readonly location: OrtLocation;
  /** Why it is not on CUDA, if "auto" settled for the CPU. */
  readonly note?: string;
}

/**
 * Opens ONNX Runtime and a device. Needs `--allow-ffi`.
 *
 * @param wanted "auto" takes CUDA if it works, else the CPU, and gives the reason in `note`.
 *
 * @throws {InputError} If ORT cannot be found, or if "cuda" is asked for and a part of it is missing.
 *
 * @example
 * ```ts
 * import { openRuntime } from "./open_runtime.ts";
 *
 * const { ort, device } = openRuntime("cpu");
 * console.log(ort.version, device.kind);
 * ```
 */
export function openRuntime(wanted: "auto" | "cuda" | "cpu"): OpenedRuntime {
  const location = findOnnxRuntime();
  const host = new CpuDevice();
  if (wanted !== "cpu") {
    try {
      return openCuda(location, host);
    } catch (error) {
      if (wanted === "cuda" || !(error instanceof Error)) throw error;
      return { ort: new Ort(location.libraryPath), device: host, host, location, note: error.message };
    }
  }
  return { ort: new Ort(location.libraryPath), device: host, host, location };
}

function openCuda(location: OrtLocation, host: CpuDevice): OpenedRuntime {
  if (!location.hasCudaProvider) {
    const { os, arch } = Deno.build;
    throw new InputError(
      os === "darwin" || arch !== "x86_64"
        ? `Cannot use --device cuda: there is no CUDA provider for ${os} on ${arch}`
        : "Cannot use --device cuda: ONNX Runtime has no CUDA provider next to it; run `deno task setup:cuda`, or set ORT_DIR to a folder that has both",
    );
  }
  const major = cudaMajorOf(join(location.folder, "libonnxruntime_providers_cuda.so")) ?? 13;
  const cudart = preloadCudaLibraries(major).find(({ soname }) => soname.includes("cudart"))?.opened;
  const cuda = cudart ? new CudaRuntime(cudart) : new CudaRuntime();
  const ort = new Ort(location.libraryPath);
  loadCudaProvider(ort);
  const device = new CudaDevice(cuda); // last: the context may still be in the making, see beginCuda
  const runtime = { ort, device, host, location };
  wake(runtime);
  return runtime;
}

/**
 * Runs a small product, so that the CUDA context, cuBLAS and the provider's kernels are loaded: they belong to no
 * model, and their memory is not the model's.
 */
function wake({ ort, device }: Runtime): void {
  const g = new Graph("wake");
  const x = g.input("x", "float16", [16, 16]);
  g.output("y", g.op("MatMul", [x, x]), "float16", [16, 16]);
  using memory = device.allocate(1024);
  try {
    using session = new Session(ort, device, g.encode());
    session.runOnce({ x: ["float16", [16, 16], memory, 0] }, { y: ["float16", [16, 16], memory, 512] });
    device.synchronize();
  } catch (cause) {
    throw new InputError(`Cannot use --device cuda: ${(cause as Error).message}`, { cause });
  }
}
