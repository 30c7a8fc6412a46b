/**
 * The process of a tokenizer: lines of questions on standard input, lines of answers on standard output. The work is done
 * in a worker, so that this thread sees when standard input ends, as it does when the parent does, however that ends: then
 * so does this process, whatever a regular expression is at.
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
