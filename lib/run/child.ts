import { denoProgram, endWith, projectFlags, readLines } from "../deno_child.ts";
import { InputError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { ChildEvent, ChildRequest, Probe, ProbeRequest } from "./protocol.ts";

/** How a child ended. */
export interface ChildEnd {
  /** Its exit code; 128 + the signal's number where a signal ended it. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
  /** What it said was wrong. */
  readonly error: (ChildEvent & { type: "error" }) | undefined;
  /** The end of what it, or the libraries in it, wrote to standard error. */
  readonly log: string;
}

/** Kept of standard error, characters. */
const LOG_LENGTH = 4000;

/**
 * Runs a request in a process of its own.
 *
 * @param request What to do.
 * @param onEvent Gets what the process reports, as it does. What it throws ends the process.
 * @param abort Ends the process.
 * @param script What the process runs: it reads the request from standard input and writes events, as child_main.ts does.
 * @returns How it ended. A process that fails is no error here.
 */
export async function runChild<E extends { readonly type: string } = ChildEvent, R extends object = ChildRequest>(
  request: R,
  onEvent: (event: E) => void,
  abort?: AbortSignal,
  script: string = import.meta.resolve("./child_main.ts"),
): Promise<ChildEnd> {
  const process = new Deno.Command(denoProgram(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      ...projectFlags(),
      "--allow-ffi", // ONNX Runtime's function table takes unscoped access
      "--allow-read", // the model, and CUDA's libraries wherever they are
      "--allow-env", // ORT_DIR, CUDA_PATH and the like
      "--allow-sys",
      script,
    ],
    // ONNX Runtime's telemetry would write to the user's cache, reach for the network and run while the clock does.
    env: { NO_COLOR: "1", ORT_DISABLE_TELEMETRY: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  using _tie = endWith(process, abort);
  let error: ChildEnd["error"];
  const [log] = await Promise.all([
    tail(process.stderr),
    write(process.stdin, JSON.stringify(request)),
    readLines(process.stdout, (line) => {
      const event = parse(line);
      if (event?.type === "error") error = event as ChildEnd["error"];
      else if (event) onEvent(event as E);
    }),
  ]);
  const { code, signal } = await process.status;
  return { code, signal, error, log };
}

/**
 * Finds out what there is to run on.
 *
 * @param device What was asked for.
 * @param abort Ends it early.
 * @returns What was found.
 * @throws {InputError} If the device asked for is not there.
 * @throws The signal's reason, if it was ended early.
 */
export async function probe(device: ProbeRequest["device"], abort?: AbortSignal): Promise<Probe> {
  let found: Probe | undefined;
  const end = await runChild({ type: "probe", device }, (event) => {
    if (event.type === "probe") found = event;
  }, abort);
  abort?.throwIfAborted();
  if (found) return found;
  // With "auto" a driver that crashes is no reason to stop: the CPU is still there.
  if (device === "auto" && !end.error?.mistake) {
    const onCpu = await probe("cpu", abort);
    return { ...onCpu, note: `Running on the CPU: trying CUDA ended the process: ${reasonOf(end)}` };
  }
  throw new InputError(end.error?.message ?? `Cannot start ONNX Runtime: ${reasonOf(end)}\n${end.log}`.trimEnd());
}

/** What libraries say when memory is short: C++, ONNX Runtime's arena, CUDA. */
const OUT_OF_MEMORY = /bad_alloc|failed to allocate|out of memory/i;

/** Why a child ended without doing its work, in one line. */
export function reasonOf({ code, signal, error, log }: ChildEnd): string {
  if (error) {
    const reason = printable(error.message.split("\n", 1)[0]!); // ONNX Runtime quotes names of an export's nodes
    return OUT_OF_MEMORY.test(reason) ? `out of memory: ${reason}` : reason;
  }
  const last = printable(log.trimEnd().split("\n").at(-1)!.trim());
  const said = last === "" ? "" : `: ${last.slice(0, 200)}`;
  if (signal === "SIGKILL") return `killed (SIGKILL), by the system for want of memory perhaps${said}`;
  if (signal !== null) return `crashed (${signal})${said}`;
  // By its code: a shell between, or a library that calls exit.
  if (code > 128) return `crashed (code ${code}, signal ${code - 128})${said}`;
  return `ended with code ${code}${said}`;
}

function parse(line: string): { readonly type: string } | undefined {
  try {
    const event = JSON.parse(line);
    return typeof event?.type === "string" ? event : undefined;
  } catch {
    return undefined; // a library that prints to standard output
  }
}

async function write(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // The child ended before it read all of it: its end says why.
  }
}

async function tail(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) text = (text + part).slice(-LOG_LENGTH);
  return text;
}
