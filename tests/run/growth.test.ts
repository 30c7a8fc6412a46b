/** A stream of tokens: nothing may grow with it except the measurements. */
import { deepEqual, ok } from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { tabulate } from "../../lib/cache/schedule.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { methods } from "../../lib/policies/registry.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { qualityPasses } from "../../lib/run/measure/quality.ts";
import { runtime } from "../cache/_device.ts";
import { configOf, neox, randomWeights, storedWeights, temporaryFolder, writeModel } from "../model/_models.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

Deno.test("neither buffers, nor ONNX Runtime's memory, nor what JavaScript holds grows with the number of steps", () => {
  const shape = neox({ layers: 2, hidden: 32, heads: 2, rotary: 8 });
  using folder = temporaryFolder();
  const model = openModelFolder(writeModel(folder.path, configOf(shape), storedWeights(shape, randomWeights(shape))));
  const steps = 12_000;
  for (
    const policy of [
      methods.streaming_llm({ start_size: 4, recent_size: 28 }),
      methods.fix_size_l2({ fix_kv_size: 32, keep_ratio: 0.5 }),
    ]
  ) {
    const sequence = qualityPasses(steps);
    using engine = new Engine(runtime(), model, {
      dtype: "float32",
      attention: "fused",
      maxPositions: steps,
      table: tabulate(policy, model.spec, [], [sequence]),
      score: policy.score,
      threads: 1,
    });
    using run = engine.sequence(sequence, 0);
    const memory = () => {
      const { InUse, TotalAllocated } = engine.sessions[0]!.allocatorStats();
      return [runtime().device.allocated, InUse, TotalAllocated];
    };
    const go = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        run.forward([i % shape.vocab], 0);
        run.evict();
        run.read();
      }
      collectGarbage();
      return Deno.memoryUsage().heapUsed;
    };
    go(0, 1000);
    const early = go(1000, steps / 2), before = memory(), held = [...run.cache.held];
    const late = go(steps / 2, steps);
    deepEqual([memory(), run.cache.held], [before, held]);
    // Under one number per step.
    ok(late - early < 8 * steps / 2, `${policy.method}: from ${early} to ${late} bytes`);
  }
});
