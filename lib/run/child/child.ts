import { MODEL_ENV } from "../../process/child_env.ts";
import { endWith, readLines, spawnDeno } from "../../process/deno_child.ts";
import { InputError } from "../../util/errors.ts";
import { printable } from "../../util/printable.ts";
import { type ChildEvent, type ChildRequest, GO_ON, type Probe, type ProbeRequest } from "./protocol.ts";
import { decode } from "../../process/wire.ts";

/** How a child process ended. */
export interface ChildEnd {
  /** Its exit code; 128 + the signal's number if a signal ended it. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
  /** The error it reported. */
  readonly error: (ChildEvent & { type: "error" }) | undefined;
  /** The end of what the process, or a library in it, wrote to standard error. */
  readonly log: string;
}

/** Characters of standard error to keep. */
const LOG_LENGTH = 4000;

/**
 * Runs a request in a process of its own.
 *
 * @param request What to do.
 * @param onEvent Receives each event as the process reports it. If it throws, the process is ended. After a sample, the
 * process continues when this returns.
 * @param abort Ends the process.
 * @param script What the process runs: it reads the request from standard input and writes events, as child_main.ts
 * does.
 * @param writes The only folder that it may write to; none if left out.
 * @returns How it ended. A process that fails does not throw here.
 */
export async function runChild<E extends { readonly type: string } = ChildEvent, R extends object = ChildRequest>(
  request: R,
  onEvent: (event: E) => void | Promise<void>,
  abort?: AbortSignal,
  script: string = import.meta.resolve("./child_main.ts"),
  writes?: string,
): Promise<ChildEnd> {
  const process = spawnDeno({
    script,
    permissions: [
      "--allow-ffi", // ONNX Runtime's function table takes unscoped access
      "--allow-read", // the model, and CUDA's libraries wherever they are
      "--allow-env", // what spawnDeno() leaves: ORT_DIR, CUDA_PATH and similar variables
      "--allow-sys",
      ...(writes === undefined ? [] : [`--allow-write=${writes}`]),
    ],
    env: MODEL_ENV,
    // ONNX Runtime's telemetry would write to the user's cache, use the network and run during the timed part.
    set: { ORT_DISABLE_TELEMETRY: "1" },
  });
  using _tie = endWith(process, abort);
  let error: ChildEnd["error"];
  const orders = process.stdin.getWriter();
  const [log] = await Promise.all([
    tail(process.stderr),
    order(orders, JSON.stringify(request)),
    readLines(process.stdout, async (line) => {
      const event = parse(line);
      if (event?.type === "error") error = event as ChildEnd["error"];
      else if (event) await onEvent(event as E);
      if (event?.type === "sample") await order(orders, GO_ON);
    }),
  ]);
  await orders.close().catch(() => {});
  const { code, signal } = await process.status;
  if (signal !== null && abort) await settled(signal, abort);
  return { code, signal, error, log };
}

/** Signals that a terminal or a scheduler sends to all processes of a run. */
const TO_ALL: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
/** Most time by which this process may receive the same signal later than a child, ms. */
const LATER_MS = 300;

/**
 * Waits a moment for a signal that ended a child and may have been sent to this process as well: the child's end may be
 * seen first.
 */
async function settled(signal: Deno.Signal, abort: AbortSignal): Promise<void> {
  if (!TO_ALL.includes(signal) || abort.aborted) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  await new Promise<void>((resolve) => {
    abort.addEventListener("abort", () => resolve(), { once: true });
    timer = setTimeout(resolve, LATER_MS);
  });
  clearTimeout(timer);
}

/**
 * Finds out which runtime and device are available.
 *
 * @param device The device asked for.
 * @param abort Ends it early.
 * @returns What was found.
 * @throws {InputError} If the device asked for is not available.
 * @throws The signal's reason, if it was ended early.
 */
export async function probe(device: ProbeRequest["device"], abort?: AbortSignal): Promise<Probe> {
  let found: Probe | undefined;
  const end = await runChild({ type: "probe", device }, (event) => {
    if (event.type === "probe") found = event;
  }, abort);
  abort?.throwIfAborted();
  if (found) return found;
  // With "auto" a driver that crashes is no reason to stop: the CPU still works.
  if (device === "auto" && !end.error?.mistake) {
    const onCpu = await probe("cpu", abort);
    return { ...onCpu, note: `Running on the CPU: trying CUDA ended the process: ${reasonOf(end)}` };
  }
  throw new InputError(end.error?.message ?? `Cannot start ONNX Runtime: ${reasonOf(end)}\n${end.log}`.trimEnd());
}

/** Words of libraries that are out of memory: C++, ONNX Runtime's arena, CUDA. */
const OUT_OF_MEMORY = /bad_alloc|failed to allocate|out of memory/i;

/** Returns in one line why a child ended without doing its work. */
export function reasonOf({ code, signal, error, log }: ChildEnd): string {
  if (error) {
    const reason = printable(error.message.split("\n", 1)[0]!); // ONNX Runtime quotes names of an export's nodes
    return OUT_OF_MEMORY.test(reason) ? `out of memory: ${reason}` : reason;
  }
  const last = printable(log.trimEnd().split("\n").at(-1)!.trim());
  const said = last === "" ? "" : `: ${last.slice(0, 200)}`;
  if (signal === "SIGKILL") return `killed (SIGKILL); the system was probably out of memory${said}`;
  if (signal !== null) return `crashed (${signal})${said}`;
  // By its exit code: a shell in between, or a library that calls exit.
  if (code > 128) return `crashed (code ${code}, signal ${code - 128})${said}`;
  return `ended with code ${code}${said}`;
}

function parse(line: string): { readonly type: string } | undefined {
  try {
    const event = decode(line) as { readonly type?: unknown } | null;
    return typeof event?.type === "string" ? event as { readonly type: string } : undefined;
  } catch {
    return undefined; // a library that prints to standard output
  }
}

/** Writes a line to a child's standard input. */
async function order(orders: WritableStreamDefaultWriter<Uint8Array>, line: string): Promise<void> {
  try {
    await orders.write(new TextEncoder().encode(`${line}\n`));
  } catch {
    // The child ended before it read everything: its end gives the reason.
  }
}

async function tail(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) text = (text + part).slice(-LOG_LENGTH);
  return text;
}
