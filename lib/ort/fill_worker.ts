/**
 * The thread that reads files into a device's memory, see FileFill. It imports the project's modules where it can
 * report what went wrong: the other thread waits and receives nothing else.
 *
 * @module
 */
import type { FillBoard, FillEnd } from "./fill_board.ts";
import type { Piece } from "./read_pieces.ts";
import type { StagingOptions } from "./staging.ts";

/** What the thread reads, and where to. */
export interface FillOrders {
  readonly board: SharedArrayBuffer;
  readonly pieces: readonly Piece[];
  /** Address of the memory. */
  readonly memory: bigint;
  readonly staging: StagingOptions;
}

const scope = self as unknown as { onmessage: (event: MessageEvent<FillOrders>) => void };

scope.onmessage = async ({ data }) => {
  const { FillBoard } = await import("./fill_board.ts");
  const board: FillBoard = new FillBoard(data.board);
  board.begin();
  let end: FillEnd;
  try {
    end = { seconds: await fill(data, board) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    end = { name, message };
  }
  board.end(end); // after this the other thread may free the memory, and ends this one
};

async function fill({ pieces, memory, staging: options }: FillOrders, board: FillBoard): Promise<number> {
  const start = performance.now();
  const { readPieces } = await import("./read_pieces.ts");
  const { makeStaging } = await import("./staging.ts");
  using staging = makeStaging(options);
  await readPieces(pieces, Deno.UnsafePointer.create(memory)!, staging, () => board.stopped);
  return (performance.now() - start) / 1000;
}
