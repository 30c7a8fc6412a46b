/**
 * The process that measures for the engine benchmark: reads one request from standard input, reports on standard output.
 *
 * @module
 */
import { InputError } from "../errors.ts";
import { gpuInfo } from "../nvml/gpu_info.ts";
import { Nvml } from "../nvml/nvml.ts";
import { CudaDevice } from "../ort/cuda_device.ts";
import type { GpuInfo } from "../report/types.ts";
import { openRuntime } from "../run/open_runtime.ts";
import { measureBandwidth } from "./bandwidth.ts";
import { measureRows } from "./measure_rows.ts";
import { measureStart } from "./measure_start.ts";
import type { BandwidthRequest, RooflineEvent, RooflineRequest } from "./protocol.ts";

const encoder = new TextEncoder();

function write(event: object): void {
  const line = encoder.encode(JSON.stringify(event) + "\n");
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
}

const emit: (event: RooflineEvent) => void = write;

function bandwidth({ device: wanted, bytes }: BandwidthRequest): void {
  const runtime = openRuntime(wanted);
  const measured = measureBandwidth(runtime, bytes);
  let gpu: GpuInfo | null = null;
  if (runtime.device instanceof CudaDevice) {
    try {
      using nvml = new Nvml();
      gpu = gpuInfo(nvml, nvml.deviceByPciBusId(runtime.device.pciBusId)); // with the clocks of a GPU at work
    } catch {
      // The parent has a description from before, or says that there is none.
    }
  }
  emit({ type: "bandwidth", bandwidth: measured, gpu });
}

if (import.meta.main) {
  try {
    const request: RooflineRequest = JSON.parse(await new Response(Deno.stdin.readable).text());
    if (request.type === "bandwidth") bandwidth(request);
    else if (request.type === "start") measureStart(request, emit);
    else await measureRows(request, emit);
  } catch (error) {
    const mistake = error instanceof InputError;
    write({ type: "error", mistake, message: error instanceof Error ? error.message : String(error) });
    if (!mistake) console.error(error);
    Deno.exit(mistake ? 2 : 1);
  }
}
