import { join } from "@std/path";
import { openCudaLibraries } from "../cuda/preload.ts";
import { cudaMajorOf } from "../cuda/provider.ts";
import { CudaRuntime } from "../cuda/runtime.ts";
import { findOnnxRuntime } from "../ort/find.ts";

/**
 * Starts making the GPU's context in a thread, if CUDA may be used. That takes a few tenths of a second, in which the
 * process can load its code, the model's headers and the other libraries. Only a hint: openRuntime finds and reports
 * any problem.
 */
export function beginCuda(): void {
  if (Deno.build.os !== "linux") return;
  try {
    const { folder, hasCudaProvider } = findOnnxRuntime();
    if (!hasCudaProvider) return;
    const major = cudaMajorOf(join(folder, "libonnxruntime_providers_cuda.so")) ?? 13;
    const isFirst = (soname: string) => /^lib(cuda|cudart)\.so/.test(soname);
    const { libraries } = openCudaLibraries(major, {}, isFirst);
    const opened = libraries.find(({ soname }) => soname.startsWith("libcudart"))?.opened;
    if (opened) void new CudaRuntime(opened).beginContext(0);
  } catch {
    // openRuntime reports it.
  }
}
