import { join } from "@std/path";
import { openCudaLibraries } from "../cuda/preload.ts";
import { cudaMajorOf } from "../cuda/provider.ts";
import { CudaRuntime } from "../cuda/runtime.ts";
import { findOnnxRuntime } from "../ort/find.ts";

/**
 * Has a thread make the GPU's context, where CUDA may be used: a few tenths of a second, in which a process that is to run
 * a model can load its code, the model's headers and the other libraries. A hint only: whatever is wrong, openRuntime finds
 * too, and says.
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
    // openRuntime says it.
  }
}
