import { deepEqual, equal, ok } from "node:assert/strict";
import { tabulate } from "../../lib/cache/schedule.ts";
import { VramSampler } from "../../lib/nvml/sampler.ts";
import { methods } from "../../lib/policies/registry.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { MemoryMeter } from "../../lib/run/measure/memory_meter.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { measureQuality, qualityPasses } from "../../lib/run/measure/quality.ts";
import { measureSpeed } from "../../lib/run/measure/speed.ts";
import { speedPasses } from "../../lib/run/measure/speed_passes.ts";
import { embedded } from "../cache/_embedded.ts";
import { goldenTokens } from "../parity/golden.ts";
import { compileNvml, hasGcc, NvmlStub } from "../nvml/stub.ts";

const lengths = { promptTokens: 96, newTokens: 4 };
const policy = methods.streaming_llm({ start_size: 4, recent_size: 28 });
const sequences = [speedPasses(lengths), qualityPasses(200)];

function engineOf(): Engine {
  const { model } = embedded;
  const table = tabulate(policy, model.spec, [], sequences);
  return new Engine(openRuntime("cpu"), model, { dtype: "float32", attention: "explicit", maxPositions: 256, table });
}

Deno.test("a meter tells phases apart, the same whatever ran before", () => {
  const meter = new MemoryMeter(undefined);
  meter.begin();
  using engine = engineOf();
  const load = meter.loaded(engine, lengths);
  const measure = () => measureSpeed(engine, goldenTokens, lengths, 0, { meter }).memory!;
  const first = measure();
  // Uses more than the prompt at any time: a counter that cannot be reset has seen it.
  measureQuality(engine, goldenTokens, 200, 0);
  {
    using more = engine.sequence([{ tokens: 200, times: 1 }], 0);
    more.forward(goldenTokens.slice(0, 200), 0);
    more.read();
  }
  const again = measure();
  for (const phase of ["prefill", "decode"] as const) {
    ok(first[phase].allocator.peak! > load.allocator.peak!, phase);
    for (const figure of ["kv_held", "kv_allocated", "allocator", "buffers", "process"] as const) {
      deepEqual(again[phase][figure], first[phase][figure], `${phase}, ${figure}`);
    }
  }
  ok(first.prefill.allocator.peak! > first.decode.allocator.peak!);
  equal(first.decode.buffers > first.decode.kv_allocated.end, true);
  equal(load.weights, null);
});

Deno.test("a meter takes the process's memory by phase, over what there was before", { ignore: !hasGcc }, async () => {
  const path = await compileNvml();
  using stub = new NvmlStub(path);
  stub.set({ process: 500 });
  await using vram = await VramSampler.start({ device: (nvml) => nvml.deviceByIndex(0), libraryPath: path });
  const meter = new MemoryMeter(vram);
  equal(meter.before, 500);
  meter.begin();
  using engine = engineOf();
  stub.set({ process: 3500 });
  deepEqual(meter.loaded(engine, lengths).process, { peak: 3000, end: 3000 });
  stub.set({ process: 9000 }); // between phases: belongs to none
  stub.set({ process: 4000 });
  const { memory } = measureSpeed(engine, goldenTokens, lengths, 0, {
    meter,
    between: (tokens) => stub.set({ process: 4000 + 100 * tokens }),
  });
  deepEqual(memory!.prefill.process, { peak: 3500, end: 3500 });
  deepEqual(memory!.decode.process, { peak: 3800, end: 3800 });
});
