import { gpuInfo } from "../nvml/gpu_info.ts";
import { Nvml } from "../nvml/nvml.ts";
import { CudaDevice } from "../ort/cuda_device.ts";
import type { GpuInfo } from "../report/results/types.ts";
import { openRuntime } from "../engine/open_runtime.ts";
import { measureBandwidth } from "./bandwidth.ts";
import { measureRows } from "./measure_rows.ts";
import { measureStart } from "./measure_start.ts";
import type { BandwidthRequest, RooflineEvent, RooflineRequest } from "./protocol.ts";

/** Answers a request of the parent. */
export async function answer(request: RooflineRequest, emit: (event: RooflineEvent) => void): Promise<void> {
  if (request.type === "bandwidth") bandwidth(request, emit);
  else if (request.type === "start") measureStart(request, emit);
  else await measureRows(request, emit);
}

function bandwidth({ device: wanted, bytes }: BandwidthRequest, emit: (event: RooflineEvent) => void): void {
  const runtime = openRuntime(wanted);
  const measured = measureBandwidth(runtime, bytes);
  let gpu: GpuInfo | null = null;
  if (runtime.device instanceof CudaDevice) {
    try {
      using nvml = new Nvml();
      gpu = gpuInfo(nvml, nvml.deviceByPciBusId(runtime.device.pciBusId)); // with the clocks of a GPU at work
    } catch {
      // The parent has an earlier description, or reports that none exists.
    }
  }
  emit({ type: "bandwidth", bandwidth: measured, gpu });
}
