import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { VramSampler } from "../../lib/nvml/sampler.ts";
import { ConditionMeter } from "../../lib/run/measure/condition_meter.ts";
import { compileNvml, hasGcc, NvmlStub } from "../nvml/stub.ts";

const pass = () => new Promise((resolve) => setTimeout(resolve, 150));

Deno.test("ConditionMeter has no GPU on a CPU, and one that is begun for each pass", async () => {
  const meter = new ConditionMeter(undefined);
  throws(() => meter.end(), /begin\(\) was not called/);
  meter.begin();
  await pass();
  const { other_cores, load_average, ...rest } = meter.end();
  ok(other_cores !== null && other_cores >= 0 && load_average >= 0);
  deepEqual(rest, {});
  throws(() => meter.end(), /begin\(\) was not called/);
});

Deno.test("ConditionMeter tells what the GPU did in a pass", { ignore: !hasGcc }, async () => {
  const path = await compileNvml();
  using stub = new NvmlStub(path);
  stub.set({ process: 100, others: 1 });
  stub.moment({ sm: 1200, reasons: 0x20 });
  await using vram = await VramSampler.start({ device: (nvml) => nvml.deviceByIndex(0), libraryPath: path });
  const meter = new ConditionMeter(vram);
  meter.begin();
  const { powerCalls } = stub;
  while (stub.powerCalls < powerCalls + 2) await pass();
  const { gpu } = meter.end();
  deepEqual([gpu!.throttled_by, gpu!.other_processes, gpu!.sm_mhz!.min], [["sw_thermal_slowdown"], 1, 1200]);
  ok(gpu!.samples >= 1);
});

Deno.test("ConditionMeter has no GPU if NVML does not work", async () => {
  const vram = await VramSampler.start({ device: (nvml) => nvml.deviceByIndex(0), libraryPath: "/no/such/library.so" });
  const meter = new ConditionMeter(vram);
  meter.begin();
  equal(meter.end().gpu, undefined);
});
