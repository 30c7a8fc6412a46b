/**
 * The process that writes texts: reads one request from standard input and reports on standard output.
 *
 * @module
 */
import { beginCuda } from "../../engine/begin_cuda.ts";
import { serveOne } from "../../run/child/child_side.ts";
import type { SpeculativeEvent, SpeculativeRequest } from "./protocol.ts";

if (import.meta.main) {
  await serveOne<SpeculativeRequest, SpeculativeEvent>(async (request, emit) => {
    if (request.device !== "cpu") beginCuda();
    const { answer } = await import("./handle_request.ts"); // loads the rest while the GPU's context is being made
    answer(request, emit);
  });
}
