import { fromFileUrl } from "@std/path";

/**
 * The program that starts a child: this Deno. Where it was installed through npm, `deno` on the PATH is a launcher, and
 * `--allow-run=deno` allows the launcher, not the program behind it.
 */
export function denoProgram(): string {
  const command = Deno.execPath();
  return Deno.permissions.querySync({ name: "run", command }).state === "granted" ? command : "deno";
}

/** In a checkout: its deno.json, and nothing from the network. */
export function projectFlags(): string[] {
  const config = new URL("../deno.json", import.meta.url);
  if (config.protocol !== "file:" || !mayExist(config)) return [];
  return [`--config=${fromFileUrl(config)}`, "--cached-only"];
}

/** Whether a file is there, as far as this process may know. */
export function mayExist(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/**
 * Ties a child to what is going on here: it is ended where the signal says so, and where the scope ends. At once, for
 * native code that is at work answers no gentler signal before it returns.
 *
 * @example
 * ```ts
 * import { denoProgram, endWith } from "./deno_child.ts";
 *
 * const child = new Deno.Command(denoProgram(), { args: ["eval", "setTimeout(() => {}, 60_000)"] }).spawn();
 * {
 *   using _tie = endWith(child);
 * }
 * console.log((await child.status).signal); // "SIGKILL"
 * ```
 */
export function endWith(child: Deno.ChildProcess, signal?: AbortSignal): Disposable {
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted) kill();
  return {
    [Symbol.dispose]: () => {
      kill();
      signal?.removeEventListener("abort", kill);
    },
  };
}

/** Hands over a stream's lines, as they come. What is left without an end is none: whoever wrote it was ended. */
export async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(onLine);
  }
}
