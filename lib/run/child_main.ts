/**
 * The process that runs the model: reads one request from standard input, reports on standard output. It has the
 * permission to call foreign functions, so that its parent need not, and its end is only its own configuration's.
 *
 * @module
 */
import { gpuInfo } from "../nvml/gpu_info.ts";
import { Nvml } from "../nvml/nvml.ts";
import { CudaDevice } from "../ort/cuda_device.ts";
import { InputError } from "../errors.ts";
import type { GpuInfo } from "../report/types.ts";
import { measure } from "./measure.ts";
import { openRuntime } from "./open_runtime.ts";
import type { ChildEvent, ChildRequest, ProbeRequest } from "./protocol.ts";

const encoder = new TextEncoder();

function emit(event: ChildEvent): void {
  const line = encoder.encode(JSON.stringify(event) + "\n");
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
}

function probe({ device: wanted }: ProbeRequest): void {
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

/** Says that it is the CPU and why, in a line. */
function onCpu(why: string): string {
  const [reason] = why.replace(/^Cannot use (--device cuda|CUDA): /, "").split("\n");
  return `Running on the CPU: ${reason}`;
}

if (import.meta.main) {
  try {
    const request: ChildRequest = JSON.parse(await new Response(Deno.stdin.readable).text());
    if (request.type === "probe") probe(request);
    else await measure(request, emit);
  } catch (error) {
    const mistake = error instanceof InputError;
    emit({ type: "error", mistake, message: error instanceof Error ? error.message : String(error) });
    // The log goes into results.json with the failure; a user's mistake needs no stack.
    if (!mistake) console.error(error);
    Deno.exit(mistake ? 2 : 1);
  }
}
