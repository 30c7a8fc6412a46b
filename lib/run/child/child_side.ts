import { InputError } from "../../util/errors.ts";
import { killWithParent } from "../../process/kill_with_parent.ts";
import { LineReader } from "../../process/line_reader.ts";
import { encode } from "../../process/wire.ts";

/**
 * The child's side of runChild(): reads one request, does the work, and writes events, one JSON document per line. An
 * error is the last event; the exit code is 2 if it is the user's mistake, else 1.
 *
 * @param work Does the work. After it emits an event of type "sample", it waits until the parent has saved it.
 */
export async function serveOne<R, E extends { readonly type: string }>(
  work: (request: R, emit: (event: E) => void) => Promise<void>,
): Promise<void> {
  killWithParent();
  const orders = new LineReader(Deno.stdin);
  const encoder = new TextEncoder();
  const write = (event: object) => {
    const line = encoder.encode(encode(event) + "\n");
    for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
  };
  try {
    const request = orders.next();
    if (request === undefined) throw new TypeError("Cannot start: standard input holds no request");
    await work(JSON.parse(request), (event) => {
      write(event);
      // The parent owns the end of standard input.
      if (event.type === "sample" && orders.next() === undefined) Deno.exit(1);
    });
  } catch (thrown) {
    const error = causeOf(thrown);
    const mistake = error instanceof InputError;
    write({ type: "error", mistake, message: error instanceof Error ? error.message : String(error) });
    // The log goes into results.json with the failure; a user's mistake needs no stack.
    if (!mistake) console.error(error);
    Deno.exit(mistake ? 2 : 1);
  }
}

/**
 * Returns what went wrong first: if memory is short, freeing it fails as well, and `using` reports that error instead.
 *
 * @example
 * ```ts
 * import { causeOf } from "./child_side.ts";
 *
 * const first = new Error("out of memory");
 * console.log(causeOf(new SuppressedError(new Error("cannot give back"), first)) === first); // true
 * ```
 *
 * @param error What was thrown.
 */
export function causeOf(error: unknown): unknown {
  while (error instanceof SuppressedError) error = error.suppressed;
  return error;
}
