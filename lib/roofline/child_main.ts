/**
 * The process that measures for the engine benchmark: reads one request from standard input, reports on standard output.
 *
 * @module
 */
import { InputError } from "../errors.ts";
import { beginCuda } from "../run/begin_cuda.ts";
import { encode } from "../run/wire.ts";
import type { RooflineRequest } from "./protocol.ts";

const encoder = new TextEncoder();

function write(event: object): void {
  const line = encoder.encode(encode(event) + "\n");
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
}

if (import.meta.main) {
  try {
    const request: RooflineRequest = JSON.parse(await new Response(Deno.stdin.readable).text());
    if (request.device !== "cpu") beginCuda();
    const { answer } = await import("./answer.ts"); // the rest of the code, while the GPU's context is being made
    await answer(request, write);
  } catch (error) {
    const mistake = error instanceof InputError;
    write({ type: "error", mistake, message: error instanceof Error ? error.message : String(error) });
    if (!mistake) console.error(error);
    Deno.exit(mistake ? 2 : 1);
  }
}
