import { basename, dirname, fromFileUrl, join, resolve } from "@std/path";
import { endWith, mayExist, spawnDeno } from "../../process/deno_child.ts";
import { type Picture, PICTURES } from "./pictures.ts";

/** A picture takes about two seconds; a child that hangs must not keep a finished benchmark waiting. */
const TIMEOUT_MS: Record<Picture, number> = { comparison: 60_000, nll: 60_000, traces: 300_000 };

/** The picture's file, and all of them where there are several; or why there is none. */
export type DrawOutcome = { path: string; paths: string[] } | { warning: string };

/**
 * Draws a picture of a run in a child process. The canvas addon needs --allow-ffi; the parent, which starts the measuring
 * processes and writes the results, has none. The results are on disk already, so a failure is a warning, not an error.
 *
 * The child may read and write the run's folder, load native code from the project's node_modules, see no environment
 * variable and reach no network.
 *
 * @param resultsPath The run's results.json.
 * @param picture Which one: the comparison if left out. "traces" are one for every `trace_*.json` in the run's folder.
 * @param abort Ends it early.
 * @returns Where the picture is, or a sentence for people.
 *
 * @example
 * ```ts
 * import { drawInChild } from "./draw_child.ts";
 *
 * const outcome = await drawInChild("/nowhere/results.json");
 * console.log("warning" in outcome && outcome.warning);
 * // "Cannot draw benchmark_comparison.png: …"
 * ```
 */
export async function drawInChild(
  resultsPath: string,
  picture: Picture = "comparison",
  abort?: AbortSignal,
): Promise<DrawOutcome> {
  const folder = dirname(resolve(resultsPath));
  const failed = (reason: string) => ({ warning: `Cannot draw ${PICTURES[picture]}: ${reason}` });
  try {
    const late = AbortSignal.timeout(TIMEOUT_MS[picture]);
    const child = spawnDeno({
      script: import.meta.resolve("./chart_main.ts"),
      permissions: permissions(),
      args: [basename(resultsPath), picture],
      // Permissions name the folder as ".": a comma in its path would end it there.
      cwd: folder,
      // Deno's own messages are passed on: one line of plain text.
      set: { RUST_BACKTRACE: "0" },
      stdin: "null",
    });
    using _tie = endWith(child, abort ? AbortSignal.any([late, abort]) : late);
    const { success, code, stdout, stderr } = await child.output();
    const lines = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim().split("\n");
    const [path, ...more] = lines(stdout).filter((name) => name !== "").map((name) => join(folder, name));
    if (success && path !== undefined) return { path, paths: [path, ...more] };
    const said = lines(stderr).at(-1);
    if (abort?.aborted) return failed("it was interrupted");
    return failed(
      late.aborted ? `it took over ${TIMEOUT_MS[picture] / 1000} s` : said || `the process ended with code ${code}`,
    );
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

/** What the child may do. It runs in the folder of the results. */
function permissions(): string[] {
  return [
    ffiFlag(),
    "--allow-read=.",
    "--allow-write=.",
    // @napi-rs/canvas asks for a report of the process to tell glibc from musl, and for the user's folder of fonts.
    "--allow-sys=cpus,networkInterfaces,hostname,homedir",
    // Both canvas libraries look at variables that may be unset: not set, rather than denied.
    "--ignore-env",
  ];
}

/** Native code from the project's node_modules alone, where it has one. */
function ffiFlag(): string {
  const modules = new URL("../../../node_modules", import.meta.url);
  const scope = modules.protocol === "file:" && mayExist(modules) ? fromFileUrl(modules) : "";
  return scope === "" || scope.includes(",") ? "--allow-ffi" : `--allow-ffi=${scope}`;
}
