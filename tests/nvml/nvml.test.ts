import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { gpuInfo } from "../../lib/nvml/gpu_info.ts";
import { Nvml, NvmlError } from "../../lib/nvml/nvml.ts";
import { VALUE_NOT_AVAILABLE } from "../../lib/nvml/symbols.ts";
import type { GpuInfo } from "../../lib/report/results/types.ts";
import { compileNvml, hasGcc, NvmlStub } from "./stub.ts";

const path = hasGcc ? await compileNvml() : "";
const ignore = !hasGcc;

Deno.test("Nvml knows the driver and its GPUs, by index, UUID and PCI bus id", { ignore }, () => {
  using stub = new NvmlStub(path);
  {
    using nvml = new Nvml(path);
    deepEqual([nvml.driverVersion, nvml.cudaDriverVersion, nvml.deviceCount], ["580.95.05", "13.1", 2]);
    equal(nvml.deviceByIndex(0).name, "NVIDIA H100");
    equal(nvml.deviceByUuid("GPU-1111bbbb-0000").index, 1);
    equal(nvml.deviceByPciBusId("0000:05:00.0").index, 1); // as the CUDA runtime writes it
    throws(() => nvml.deviceByIndex(2), (error: unknown) => {
      ok(error instanceof NvmlError);
      equal(error.message, "Cannot do nvmlDeviceGetHandleByIndex_v2: Invalid Argument (2)");
      return true;
    });
  }
  equal(stub.started, 0);
});

Deno.test("gpuInfo() is what results.json shows", { ignore }, () => {
  using nvml = new Nvml(path);
  const info: GpuInfo = gpuInfo(nvml, 0);
  deepEqual(info, {
    name: "NVIDIA H100",
    index: 0,
    uuid: "GPU-1111aaaa-0000",
    driver: "580.95.05",
    cuda_driver: "13.1",
    memory_bytes: 80 * 2 ** 30,
    clocks_mhz: { sm: 1410, memory: 2619, max_sm: 1980, max_memory: 2619 },
  });
  deepEqual(gpuInfo(nvml, nvml.deviceByIndex(1)).clocks_mhz, { sm: 0, memory: 0, max_sm: 0, max_memory: 0 });
});

Deno.test(
  "NvmlDevice.processBytes() finds its process among many, and says where there is no figure",
  { ignore },
  () => {
    using stub = new NvmlStub(path);
    using nvml = new Nvml(path);
    const device = nvml.deviceByIndex(0);
    equal(device.processBytes(Deno.pid), null);
    stub.set({ process: 5 * 2 ** 30, others: 3 });
    equal(device.processBytes(Deno.pid), 5 * 2 ** 30);
    stub.set({ process: 7, others: 200 }); // more than there is room for at first
    equal(device.processBytes(Deno.pid), 7);
    stub.set({ process: VALUE_NOT_AVAILABLE });
    equal(device.processBytes(Deno.pid), null);
    deepEqual(device.memory(), { total: 80 * 2 ** 30, free: 80 * 2 ** 30 - 2 ** 20, used: 2 ** 20 });
  },
);

Deno.test("Nvml explains a machine without a working driver", { ignore }, async () => {
  const broken = await compileNvml({ INIT_ERROR: "9" });
  throws(() => new Nvml(broken), (error: unknown) => {
    ok(error instanceof InputError);
    match(error.message, /Cannot use the NVIDIA driver: Cannot do nvmlInit_v2: Driver Not Loaded \(9\)/);
    return true;
  });
  throws(() => new Nvml("/no/such/libnvidia-ml.so.1"), (error: unknown) => {
    ok(error instanceof InputError);
    match(error.message, /Cannot find an NVIDIA driver.*\n.*\/no\/such\/libnvidia-ml/);
    return true;
  });
});
