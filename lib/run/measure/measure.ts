import { type LoadedEngine, loadEngine } from "../../engine/load_engine.ts";
import type { ChildEvent, MeasureOrder } from "../child/protocol.ts";
import { MemoryMeter } from "./memory_meter.ts";
import { measureQualitySamples } from "./quality_samples.ts";
import { measureSpeedSamples } from "./speed_samples.ts";
import { throttled } from "./throttled_progress.ts";

/** Measures one pass of a configuration, sample by sample, and reports each sample's result as soon as it is known. */
export async function measure(order: MeasureOrder, emit: (event: ChildEvent) => void): Promise<void> {
  const progress = throttled(emit);
  progress("load", 0, 0, 1);
  let meter!: MemoryMeter;
  await using loaded = await load(order, emit, (made) => meter = made);
  emit({ type: "kernels", ...loaded.engine.kernels });
  if (order.pass === "speed") measureSpeedSamples(order, { loaded, meter, emit, progress });
  else measureQualitySamples(order, { loaded, emit, progress });
}

/** Loads the model. Memory and sharing of the GPU are watched only where the clock runs. */
async function load(
  order: MeasureOrder,
  emit: (event: ChildEvent) => void,
  onMeter: (meter: MemoryMeter) => void,
): Promise<LoadedEngine> {
  const { promptTokens, maxNewTokens, maxTokens, pass } = order;
  return await loadEngine({
    model: order.model,
    device: order.device,
    options: {
      dtype: order.dtype,
      attention: order.attention,
      positions: order.positions,
      kernels: order.kernels,
      maxPositions: Math.max(promptTokens + maxNewTokens, maxTokens),
      table: order.table,
      score: order.score,
      attentionUse: order.attentionUse,
      trace: pass === "quality" && order.trace !== undefined,
      ...(order.reference ? { logits: "last" as const } : {}),
    },
    watchMemory: pass === "speed",
    onReady: (vram) => {
      if (vram?.reason) emit({ type: "note", message: `Peak VRAM is not measured: ${vram.reason}` });
      const meter = new MemoryMeter(vram);
      meter.begin();
      onMeter(meter);
    },
  });
}
