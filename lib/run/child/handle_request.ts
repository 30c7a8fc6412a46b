import { gpuInfo } from "../../nvml/gpu_info.ts";
import { Nvml } from "../../nvml/nvml.ts";
import { CudaDevice } from "../../ort/cuda_device.ts";
import type { GpuInfo } from "../../report/results/types.ts";
import { measure } from "../measure/measure.ts";
import { openRuntime } from "../../engine/open_runtime.ts";
import type { ChildEvent, ChildRequest, ProbeRequest } from "./protocol.ts";

/** Answers a request of the parent. */
export async function answer(request: ChildRequest, emit: (event: ChildEvent) => void): Promise<void> {
  if (request.type === "probe") probe(request, emit);
  else await measure(request, emit);
}

function probe({ device: wanted }: ProbeRequest, emit: (event: ChildEvent) => void): void {
  const { ort, device, location, note } = openRuntime(wanted);
  let gpu: GpuInfo | null = null;
  let more = note === undefined ? null : onCpu(note);
  if (device instanceof CudaDevice) {
    try {
      using nvml = new Nvml();
      gpu = gpuInfo(nvml, nvml.deviceByPciBusId(device.pciBusId));
    } catch (error) {
      more = `No NVML, peak VRAM is not measured: ${(error as Error).message}`;
    }
  }
  emit({
    type: "probe",
    device: device.kind,
    note: more,
    onnxruntime: ort.version,
    onnxruntimePath: location.libraryPath,
    providers: ort.providers,
    gpu,
  });
}

/** Says in a line that it runs on the CPU, and why. */
function onCpu(why: string): string {
  const [reason] = why.replace(/^Cannot use (--device cuda|CUDA): /, "").split("\n");
  return `Running on the CPU: ${reason}`;
}
