/**
 * The process that runs the model: reads one request from standard input, reports on standard output. It has the
 * permission to call foreign functions, so that its parent need not, and its end is only its own configuration's.
 *
 * @module
 */
import { beginCuda } from "../../engine/begin_cuda.ts";
import { serveOne } from "./child_side.ts";
import type { ChildEvent, ChildRequest } from "./protocol.ts";

if (import.meta.main) {
  await serveOne<ChildRequest, ChildEvent>(async (request, emit) => {
    if (request.device !== "cpu") beginCuda();
    const { answer } = await import("./handle_request.ts"); // the rest of the code, while the GPU's context is being made
    await answer(request, emit);
  });
}
