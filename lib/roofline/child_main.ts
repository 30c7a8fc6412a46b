/**
 * The process that measures for the engine benchmark: reads one request from standard input and reports on standard
 * output.
 *
 * @module
 */
import { beginCuda } from "../engine/begin_cuda.ts";
import { serveOne } from "../run/child/child_side.ts";
import type { RooflineEvent, RooflineRequest } from "./protocol.ts";

if (import.meta.main) {
  await serveOne<RooflineRequest, RooflineEvent>(async (request, emit) => {
    if (request.device !== "cpu") beginCuda();
    const { answer } = await import("./handle_request.ts"); // loads the rest while the GPU's context is being made
    await answer(request, emit);
  });
}
