/**
 * The process of a tokenizer: lines of questions on standard input, lines of answers on standard output. A worker does
 * the work, so that this thread sees the end of standard input, which also comes when the parent ends, for any reason.
 * This process then ends too, even in the middle of a regular expression.
 *
 * @module
 */
import { readLines } from "../process/deno_child.ts";
import type { TokenizerAnswer } from "./tokenizer_process.ts";

if (import.meta.main) {
  const worker = new Worker(import.meta.resolve("./tokenizer_worker.ts"), { type: "module" });
  const encoder = new TextEncoder();
  worker.onmessage = ({ data }: MessageEvent<TokenizerAnswer>) => {
    const line = encoder.encode(JSON.stringify(data) + "\n");
    for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
  };
  await readLines(Deno.stdin.readable, (line) => worker.postMessage(JSON.parse(line)));
  Deno.exit(0);
}
