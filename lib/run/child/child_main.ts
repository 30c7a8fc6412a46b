/**
 * The process that runs the model: reads one request from standard input, reports on standard output. It may call
 * foreign functions, so its parent need not. If it crashes, only its own configuration is lost.
 *
 * @module
 */
import { beginCuda } from "../../engine/begin_cuda.ts";
import { serveOne } from "./child_side.ts";
import type { ChildEvent, ChildRequest } from "./protocol.ts";

if (import.meta.main) {
  await serveOne<ChildRequest, ChildEvent>(async (request, emit) => {
    if (request.device !== "cpu") beginCuda();
    const { answer } = await import("./handle_request.ts"); // loads the rest while the GPU's context is being made
    await answer(request, emit);
  });
}
