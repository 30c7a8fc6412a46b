import { openModelFolder } from "../model/folder/model_folder.ts";
import { stopwatch } from "../engine/load_times.ts";
import { loadEngine } from "../engine/load_engine.ts";
import { prefill, prompt } from "./measure_rows.ts";
import type { RooflineEvent, StartFigures, StartRequest } from "./protocol.ts";

/** Number of times the weight files are read. */
const READS = 3;

/**
 * Measures the time from the start of a process to a prompt's first token, and the time to read the weight files once,
 * which is a lower bound for it. The files are assumed to be in the page cache, as they are after the first row.
 */
export async function measureStart(request: StartRequest, emit: (event: RooflineEvent) => void): Promise<void> {
  const process_s = (performance.timeOrigin + performance.now() - request.started) / 1000;
  const lap = stopwatch();
  const stages = { folder: 0, library: 0, policy: 0 };
  let parts: StartFigures["parts"], reading_s: number;
  {
    await using loaded = await loadEngine({
      model: request.model,
      device: request.device,
      options: {
        dtype: request.dtype,
        attention: request.attention,
        kernels: request.kernels,
        maxPositions: request.promptTokens + 1,
        table: request.table,
      },
      watchMemory: false,
      onStage: (stage) => stages[stage] = lap(),
    });
    const { engine, engine: { loadTimes: { reading_s: reading, ...load }, model: { spec } } } = loaded;
    lap();
    prefill(engine, prompt(request.promptTokens, spec.vocab));
    const prompt_s = lap();
    reading_s = reading;
    const { folder: folder_s, library: library_s, policy: policy_s } = stages;
    parts = { process_s, folder_s, library_s, policy_s, ...load, prompt_s };
  }
  const files = [...new Set([...openModelFolder(request.model).tensors.values()].map(({ file }) => file))];
  const read_s = Array.from({ length: READS }, () => {
    lap();
    for (const file of files) readOnce(file);
    return lap();
  });
  emit({
    type: "start",
    start: {
      prompt_tokens: request.promptTokens,
      first_token_s: Object.values(parts).reduce((a, b) => a + b),
      parts,
      reading_s,
      read_s,
      file_bytes: files.reduce((sum, file) => sum + Deno.statSync(file).size, 0),
    },
  });
}

/** Reads a file from its first byte to its last in one thread, as `cat` does. */
function readOnce(path: string): void {
  using file = Deno.openSync(path);
  const piece = new Uint8Array(1 << 17);
  while (file.readSync(piece) !== null);
}
