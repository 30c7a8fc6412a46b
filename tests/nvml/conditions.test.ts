import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { ConditionBoard } from "../../lib/nvml/condition_board.ts";
import { clockReasons, type GpuMoment, summarizeMoments } from "../../lib/nvml/conditions.ts";
import { Nvml } from "../../lib/nvml/nvml.ts";
import { VramSampler } from "../../lib/nvml/sampler.ts";
import { compileNvml, hasGcc, NvmlStub } from "./stub.ts";

const path = hasGcc ? await compileNvml() : "";
const ignore = !hasGcc;
const start = () => VramSampler.start({ device: (nvml) => nvml.deviceByIndex(0), libraryPath: path });
const unknown: GpuMoment = {
  sm_mhz: null,
  memory_mhz: null,
  power_mw: null,
  temperature_c: null,
  reasons: null,
  other_processes: null,
};

/** Blocks this thread, as a run of the model does. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Blocks this thread until the other one has taken samples of what the GPU does, of which one began after this call. It
 * may have to wait for a core.
 */
function blockForSample(stub: NvmlStub, sampler: VramSampler): void {
  const wait = (holds: () => boolean) => {
    for (let i = 0; i < 2000 && !holds(); i++) block(5);
  };
  const { powerCalls } = stub;
  wait(() => stub.powerCalls >= powerCalls + 2);
  const { samples } = sampler;
  wait(() => sampler.samples > samples); // the last one is on the board
}

Deno.test("NvmlDevice.conditions() reads what the GPU offers", { ignore }, async () => {
  using stub = new NvmlStub(path);
  stub.set({ process: 5 });
  stub.moment({ sm: 1830, power: 412_345, celsius: 63, reasons: 0x84 });
  {
    using nvml = new Nvml(path);
    const all: GpuMoment = {
      sm_mhz: 1830,
      memory_mhz: 2619,
      power_mw: 412_345,
      temperature_c: 63,
      reasons: 0x84,
      other_processes: 0,
    };
    deepEqual(nvml.deviceByIndex(0).conditions(Deno.pid), all);
    deepEqual(nvml.deviceByIndex(1).conditions(Deno.pid), unknown); // a MIG instance
    stub.fail(15); // the list of processes alone
    deepEqual(nvml.deviceByIndex(0).conditions(Deno.pid), { ...all, other_processes: null });
  }
  using old = new Nvml(await compileNvml({ OLD_DRIVER: "1" }));
  deepEqual(old.deviceByIndex(0).conditions(Deno.pid).reasons, 1);
  using coming = new Nvml(await compileNvml({ NEW_DRIVER: "1" }));
  const { power_mw, temperature_c, sm_mhz } = coming.deviceByIndex(0).conditions(Deno.pid);
  deepEqual([power_mw, temperature_c, sm_mhz], [null, null, 1410]);
});

Deno.test("NvmlDevice.conditions() counts the processes that are not this one", { ignore }, () => {
  using stub = new NvmlStub(path);
  using nvml = new Nvml(path);
  const others = () => nvml.deviceByIndex(0).conditions(Deno.pid).other_processes;
  equal(others(), null); // this process computes, so NVML hides processes
  stub.set({ process: 1 });
  equal(others(), 0);
  stub.set({ process: 1, others: 200 });
  equal(others(), 200);
  stub.set({ others: 1 }); // this one, under another number
  equal(others(), 0);
  stub.set({ others: 3 });
  equal(others(), 2);
  // One that does not compute
  equal(nvml.deviceByIndex(0).conditions(null).other_processes, 3);
  equal(nvml.deviceByIndex(1).conditions(null).other_processes, 0);
});

Deno.test("VramSampler samples what the GPU does between begin and end, while this thread is blocked", {
  ignore,
}, async () => {
  using stub = new NvmlStub(path);
  stub.set({ process: 100 });
  await using sampler = await start();
  stub.moment({ sm: 300, power: 600_000, reasons: 0x40 }); // before: must not count
  block(30);
  stub.moment({ sm: 1980, power: 400_000, celsius: 50, reasons: 0 });
  const began = performance.now();
  sampler.beginConditions();
  blockForSample(stub, sampler);
  stub.moment({ sm: 1500, power: 500_000, celsius: 70, reasons: 0x5 });
  stub.set({ process: 100, others: 2 });
  blockForSample(stub, sampler);
  const { samples, sm_mhz, memory_mhz, power_w, ...rest } = sampler.endConditions()!;
  ok(samples >= 2 && samples <= (performance.now() - began) / 50 + 1, `${samples} samples`); // one each 50 ms
  equal(sm_mhz!.min, 1500);
  ok(sm_mhz!.mean > 1500 && sm_mhz!.mean < 1980);
  deepEqual(memory_mhz, { min: 2619, mean: 2619 });
  equal(power_w!.max, 500);
  ok(power_w!.mean > 400 && power_w!.mean < 500);
  deepEqual(rest, { temperature_c: 70, throttled_by: ["sw_power_cap"], other_processes: 2 });
  // Nothing of it is in the next
  stub.moment({ sm: 1700, power: 100_000, celsius: 40, reasons: 0x2 });
  stub.set({ process: 100 });
  sampler.beginConditions();
  blockForSample(stub, sampler);
  const next = sampler.endConditions()!;
  deepEqual([next.sm_mhz, next.power_w], [{ min: 1700, mean: 1700 }, { mean: 100, max: 100 }]);
  deepEqual([next.temperature_c, next.throttled_by, next.other_processes], [40, ["applications_clocks_setting"], 0]);
});

Deno.test("VramSampler asks for conditions less often where NVML is slow, and not at all otherwise", {
  ignore,
}, async () => {
  using stub = new NvmlStub(path);
  stub.set({ process: 100 });
  stub.momentDelay(1000); // 3 ms for two clocks and the power
  await using sampler = await start();
  const { powerCalls } = stub;
  block(100);
  equal(stub.powerCalls, powerCalls);
  const began = performance.now();
  sampler.beginConditions();
  block(900);
  const { samples, sm_mhz } = sampler.endConditions()!;
  // 18 in 900 ms without the pauses
  ok(samples >= 1 && samples <= 1 + (performance.now() - began) / 900, `${samples} samples`);
  deepEqual(sm_mhz, { min: 1410, mean: 1410 });
});

Deno.test("VramSampler has no conditions where it has no figures", async () => {
  const none = await VramSampler.start({ device: (nvml) => nvml.deviceByIndex(0), libraryPath: "/no/such/library.so" });
  none.beginConditions();
  equal(none.endConditions(), null);
  await none.stop();
});

Deno.test("VramSampler.endConditions() is empty if nothing was begun or sampled", { ignore }, async () => {
  using stub = new NvmlStub(path);
  stub.set({ process: 100 });
  await using sampler = await start();
  equal(sampler.endConditions()!.samples, 0);
  sampler.beginConditions();
  const conditions = sampler.endConditions()!;
  if (conditions.samples === 0) deepEqual(conditions, summarizeMoments([]));
  sampler.beginConditions();
  blockForSample(stub, sampler);
  ok(sampler.endConditions()!.samples > 0);
});

Deno.test("ConditionBoard drops moments of another time span, and the oldest of very many", () => {
  const board = new ConditionBoard();
  const other = new ConditionBoard(board.buffer); // as the sampling thread opens it
  const at = (sm_mhz: number) => ({ ...unknown, sm_mhz });
  equal(other.span, null);
  board.begin();
  const first = other.span!;
  other.add(at(100), first);
  board.begin(); // drops the first
  other.add(at(200), first); // begun before
  other.add(at(300), other.span!);
  deepEqual(board.end().sm_mhz, { min: 300, mean: 300 });
  other.add(at(400), first + 2);
  equal(board.end().samples, 0);
  board.begin();
  for (let i = 0; i < 20_000; i++) other.add(at(i), other.span!);
  const { samples, sm_mhz } = board.end();
  deepEqual([samples, sm_mhz!.min], [2 ** 14 - 1, 20_000 - (2 ** 14 - 1)]);
});

Deno.test("ConditionBoard gives back what summarizeMoments() makes of the same moments", () => {
  const figure = (max: number) => fc.option(fc.integer({ min: 0, max }));
  const moment: fc.Arbitrary<GpuMoment> = fc.record({
    sm_mhz: figure(3000),
    memory_mhz: figure(3000),
    power_mw: figure(1_500_000),
    temperature_c: figure(120),
    reasons: figure(0x7fffffff),
    other_processes: figure(300),
  });
  fc.assert(
    fc.property(fc.array(moment), (moments) => {
      const board = new ConditionBoard();
      board.begin();
      for (const one of moments) board.add(one, board.span!);
      deepEqual(board.end(), summarizeMoments(moments.toReversed()));
      const sm = moments.flatMap(({ sm_mhz }) => sm_mhz ?? []);
      equal(summarizeMoments(moments).sm_mhz?.min ?? null, sm.length === 0 ? null : Math.min(...sm));
    }),
    { numRuns: 20 },
  );
});

Deno.test("clockReasons() names each bit once", () => {
  deepEqual(clockReasons(0), []);
  const all = clockReasons(0x3ff);
  deepEqual(all, [
    "gpu_idle",
    "applications_clocks_setting",
    "sw_power_cap",
    "hw_slowdown",
    "sync_boost",
    "sw_thermal_slowdown",
    "hw_thermal_slowdown",
    "hw_power_brake_slowdown",
    "display_clock_setting",
    "reason_0x200",
  ]);
});
