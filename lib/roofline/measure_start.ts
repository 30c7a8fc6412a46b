import { Eviction } from "../cache/eviction.ts";
import { openModelFolder } from "../model/model_folder.ts";
import { Engine, type EngineOptions, evictionOptions } from "../run/engine.ts";
import { stopwatch } from "../run/load_times.ts";
import { openRuntime } from "../run/open_runtime.ts";
import { prefill, prompt } from "./measure_rows.ts";
import type { RooflineEvent, StartFigures, StartRequest } from "./protocol.ts";

/** Times the weights' files are read. */
const READS = 3;

/**
 * Measures how long it takes from the start of a process to a prompt's first token, and to read the weights' files once:
 * what that could be as short as. The files are taken to be in the page cache, as they are after the first row.
 */
export function measureStart(request: StartRequest, emit: (event: RooflineEvent) => void): void {
  const process_s = (performance.timeOrigin + performance.now() - request.started) / 1000;
  const lap = stopwatch();
  const model = openModelFolder(request.model);
  const folder_s = lap();
  const runtime = openRuntime(request.device);
  const library_s = lap();
  const options: EngineOptions = {
    dtype: request.dtype,
    attention: request.attention,
    kernels: request.kernels,
    maxPositions: request.promptTokens + 1,
    table: request.table,
  };
  const eviction = new Eviction(runtime, model.spec, evictionOptions(options, model.spec));
  eviction.wake();
  const policy_s = lap();
  let prompt_s: number, parts: StartFigures["parts"], reading_s: number;
  {
    using engine = new Engine(runtime, model, options, eviction);
    const { reading_s: reading, ...load } = engine.loadTimes;
    lap();
    prefill(engine, prompt(request.promptTokens, model.spec.vocab));
    prompt_s = lap();
    reading_s = reading;
    parts = { process_s, folder_s, library_s, policy_s, ...load, prompt_s };
  }
  const files = [...new Set([...model.tensors.values()].map(({ file }) => file))];
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

/** Reads a file from its first byte to its last, in one thread, as `cat` does. */
function readOnce(path: string): void {
  using file = Deno.openSync(path);
  const piece = new Uint8Array(1 << 17);
  while (file.readSync(piece) !== null);
}
