/**
 * The process that runs the model: reads one request from standard input, reports on standard output. It has the
 * permission to call foreign functions, so that its parent need not, and its end is only its own configuration's.
 *
 * @module
 */
import { InputError } from "../errors.ts";
import { beginCuda } from "./begin_cuda.ts";
import type { ChildEvent, ChildRequest } from "./protocol.ts";
import { encode } from "./wire.ts";

const encoder = new TextEncoder();

function emit(event: ChildEvent): void {
  const line = encoder.encode(encode(event) + "\n");
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
}

if (import.meta.main) {
  try {
    const request: ChildRequest = JSON.parse(await new Response(Deno.stdin.readable).text());
    if (request.device !== "cpu") beginCuda();
    const { answer } = await import("./answer.ts"); // the rest of the code, while the GPU's context is being made
    await answer(request, emit);
  } catch (error) {
    const mistake = error instanceof InputError;
    emit({ type: "error", mistake, message: error instanceof Error ? error.message : String(error) });
    // The log goes into results.json with the failure; a user's mistake needs no stack.
    if (!mistake) console.error(error);
    Deno.exit(mistake ? 2 : 1);
  }
}
