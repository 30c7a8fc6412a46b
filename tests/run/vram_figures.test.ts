import { deepEqual } from "node:assert/strict";
import { VramSampler } from "../../lib/nvml/sampler.ts";
import { vramFigures } from "../../lib/run/measure/vram_figures.ts";
import { compileNvml, hasGcc, NvmlStub } from "../nvml/stub.ts";

const GIB = 2 ** 30;

Deno.test("vramFigures() is 0 on a CPU alone, and none where a phase has none", () => {
  deepEqual(vramFigures(undefined, [null, null]), { peak: null, result: { peak_vram_gb: 0 } });
  // A phase without a figure has an unknown peak.
  deepEqual(vramFigures({ method: "process" }, [5, null]), {
    peak: null,
    result: { peak_vram_gb: null, vram_method: "unavailable" },
  });
});

Deno.test("vramFigures() says how NVML measured, and has no figure where it did not", { ignore: !hasGcc }, async () => {
  const path = await compileNvml();
  using stub = new NvmlStub(path);
  const start = () => VramSampler.start({ device: (nvml) => nvml.deviceByIndex(0), libraryPath: path });
  {
    stub.set({ device: 5000 });
    await using sampler = await start();
    stub.set({ device: 5000 + GIB });
    deepEqual(vramFigures(sampler, [sampler.peakBytes, 7]), {
      peak: GIB,
      result: { peak_vram_gb: 1, vram_method: "device" },
    });
    stub.set({ process: 3 * GIB });
    deepEqual(vramFigures(sampler, [0, sampler.peakBytes]), {
      peak: 3 * GIB,
      result: { peak_vram_gb: 3, vram_method: "process" },
    });
    // NVML fails in the last phase: the peak may have come after the last figure.
    const before = sampler.peakBytes;
    stub.fail(999);
    deepEqual(vramFigures(sampler, [before, sampler.peakBytes]), {
      peak: null,
      result: { peak_vram_gb: null, vram_method: "unavailable" },
    });
    deepEqual(vramFigures(sampler, [before, before]).result.peak_vram_gb, null);
    stub.fail(0);
  }
  await using none = await VramSampler.start({ device: (nvml) => nvml.deviceByIndex(0), libraryPath: "/no/such.so" });
  deepEqual(vramFigures(none, [none.peakBytes, null]), {
    peak: null,
    result: { peak_vram_gb: null, vram_method: "unavailable" },
  });
});
