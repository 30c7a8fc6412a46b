import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { doubtsOf, type Machine, marksOf } from "../../lib/report/results/marks.ts";
import { inventSample } from "./_invent.ts";
import type { GpuConditions, SpeedRun } from "../../lib/report/results/spread_types.ts";
import { inventRun } from "./_invent.ts";

const cpu: Machine = { device: "cpu", cores: 64 };
const gpu: Machine = { device: "cuda", cores: 64 };
const calm: GpuConditions = {
  samples: 20,
  sm_mhz: { min: 1980, mean: 1980 },
  memory_mhz: { min: 2619, mean: 2619 },
  power_w: { mean: 400, max: 450 },
  temperature_c: 55,
  throttled_by: [],
  other_processes: 0,
};
/** Steps of about 4 ms that vary by 1 %. */
const steps = Array.from({ length: 100 }, (_, i) => 0.004 * (1 + 0.01 * Math.sin(i * 7)));
const run = (over: Partial<SpeedRun> = {}): SpeedRun => ({
  ...inventRun("h2o_512"),
  ttft: 0.1,
  tpot: 0.004,
  throughput: 200,
  step_times_s: steps,
  entries_copied: 0,
  peak_vram_gb: 5,
  memory: inventSample("h2o_512").memory!,
  conditions: { other_cores: 0.1, load_average: 12, gpu: calm },
  ...over,
});
const onGpu = (of: Partial<GpuConditions>) =>
  run({ conditions: { other_cores: 0, load_average: 0, gpu: { ...calm, ...of } } });
const beside = (other_cores: number | null) => run({ conditions: { other_cores, load_average: 0 } });
const notes = (runs: SpeedRun[], machine: Machine) =>
  doubtsOf(runs, machine).map(({ mark, note }) => `${mark}: ${note}`);

Deno.test("a calm machine has no marks, nor has one of which nothing is known", () => {
  deepEqual(marksOf([run(), run({ round: 1, tpot: 0.0055 }), run({ sample: 1 })], gpu), []);
  deepEqual(marksOf([], gpu), []);
  const { conditions: _, ...bare } = run();
  deepEqual(marksOf([bare], cpu), []);
  deepEqual(marksOf([beside(null), onGpu({ other_processes: null })], cpu), []);
});

Deno.test('"throttled": the GPU lowers its clocks by itself, in any pass', () => {
  for (
    const reason of [
      "sw_power_cap",
      "hw_slowdown",
      "sync_boost",
      "sw_thermal_slowdown",
      "hw_thermal_slowdown",
      "hw_power_brake_slowdown",
      "reason_0x200",
    ]
  ) deepEqual(marksOf([run(), onGpu({ throttled_by: [reason] })], gpu), ["throttled"], reason);
  for (const setting of ["applications_clocks_setting", "display_clock_setting", "gpu_idle"]) {
    deepEqual(marksOf([onGpu({ throttled_by: [setting] })], gpu), [], setting);
  }
  deepEqual(
    notes([
      run(),
      onGpu({ throttled_by: ["applications_clocks_setting", "sw_power_cap"] }),
      onGpu({ throttled_by: ["sw_power_cap", "hw_thermal_slowdown"] }),
    ], gpu),
    ["throttled: the GPU lowered its clocks in 2 of 3 speed passes (sw_power_cap, hw_thermal_slowdown)"],
  );
});

Deno.test('"shared": another process computes on the GPU', () => {
  deepEqual(notes([run(), onGpu({ other_processes: 1 })], gpu), [
    "shared: another process computed on the GPU in 1 of 2 speed passes",
  ]);
  deepEqual(
    notes([onGpu({ other_processes: 1 }), onGpu({ other_processes: 3 }), onGpu({ other_processes: null })], gpu),
    [
      "shared: up to 3 other processes computed on the GPU in 2 of 2 speed passes",
    ],
  );
});

Deno.test('"shared": other processes keep cores busy, of which a GPU leaves more to them than a CPU', () => {
  deepEqual(marksOf([beside(0.5)], cpu), []);
  deepEqual(notes([beside(0.51), beside(0.2)], cpu), [
    "shared: other processes kept up to 0.5 cores busy in 1 of 2 speed passes",
  ]);
  deepEqual(marksOf([beside(16)], gpu), []);
  deepEqual(marksOf([beside(16.1)], gpu), ["shared"]);
  deepEqual(marksOf([beside(0.6)], { device: "cuda", cores: 2 }), ["shared"]);
  deepEqual(marksOf([beside(0.4)], { device: "cuda", cores: 1 }), []);
});

Deno.test('"unsteady": outliers among the steps after the first', () => {
  deepEqual(marksOf([run({ step_times_s: [0.5, ...steps] })], cpu), []);
  const disturbed = steps.with(50, 0.02).with(60, 0.03).with(70, 0.5);
  deepEqual(notes([run({ step_times_s: disturbed }), run()], cpu), [
    "unsteady: 3 of 198 steps are outliers (the slowest took 500 ms)",
  ]);
});

Deno.test('"unsteady": rounds of a sample differ, not samples', () => {
  deepEqual(marksOf([run({ tpot: 0.004 }), run({ sample: 1, tpot: 0.01 })], cpu), []);
  deepEqual(
    notes([
      run({ sample: 1, tpot: 0.004 }),
      run({ sample: 1, round: 1, tpot: 0.0061 }),
      run({ sample: 2, tpot: 0.004 }),
      run({ sample: 2, round: 1, tpot: 0.02 }),
      run({ sample: 2, round: 2, tpot: NaN }),
    ], cpu),
    ["unsteady: TPOT of sample 3 was 4.00 ms in one round, 20.0 ms in another"],
  );
  deepEqual(marksOf([run({ tpot: NaN }), run({ tpot: 0 }), run()], cpu), []);
});

Deno.test("marks are in one order, each once, whatever the order of the passes", () => {
  const all = [
    run({ tpot: 0.1 }),
    onGpu({ throttled_by: ["sw_power_cap"], other_processes: 2 }),
    beside(60),
    run({ step_times_s: [...steps].fill(0.5, 90) }),
  ];
  fc.assert(fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (runs) => {
    deepEqual(marksOf(runs, gpu), ["throttled", "shared", "unsteady"]);
    equal(doubtsOf(runs, gpu).length, 5);
  }));
});
