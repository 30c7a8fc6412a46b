import { basename, dirname, fromFileUrl, join, resolve } from "@std/path";
import { endWith, mayExist, spawnDeno } from "../../process/deno_child.ts";
import { fontFile } from "./font.ts";
import { type Picture, PICTURES } from "./pictures.ts";

/** A picture takes about two seconds; a child that hangs must not delay a finished benchmark. */
const TIMEOUT_MS: Record<Picture, number> = {
  comparison: 60_000,
  precision: 60_000,
  budget: 60_000,
  frontier: 60_000,
  nll: 60_000,
  speedup: 60_000,
  traces: 300_000,
};

/** Path of the picture's PNG file, and all paths if it has several; each has an SVG file of the same name. Or the reason why it was not drawn. */
export type DrawOutcome = { path: string; paths: string[] } | { warning: string };

/**
 * Draws a picture of a run in a child process. The canvas addon needs --allow-ffi; the parent, which starts the
 * measuring processes and writes the results, does not have it. The results are on disk already, so a failure is a
 * warning, not an error.
 *
 * The child may read and write the run's folder and load native code from the project's node_modules. It has no
 * environment variables and no network.
 *
 * @param resultsPath The run's results.json.
 * @param picture The picture: the comparison if left out. "traces" draws one for every `trace_*.json` in the run's
 * folder.
 * @param abort Ends it early.
 * @returns The picture's paths, or a warning for the user.
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
      // Permissions name the folder as ".": a comma in its path would end the path there.
      cwd: folder,
      // Deno's own messages are passed on as one line of plain text.
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

/** Permissions of the child, which runs in the folder of the results. */
function permissions(): string[] {
  return [
    ffiFlag(),
    readFlag(),
    "--allow-write=.",
    // @napi-rs/canvas asks for a process report to distinguish glibc from musl, and for the user's font folder.
    "--allow-sys=cpus,networkInterfaces,hostname,homedir",
    // Both canvas libraries read variables that may be unset: ignored, they count as unset instead of denied.
    "--ignore-env",
  ];
}

/** Allows native code from the project's node_modules only, if it has one. */
function ffiFlag(): string {
  const modules = new URL("../../../node_modules", import.meta.url);
  const scope = modules.protocol === "file:" && mayExist(modules) ? realPath(fromFileUrl(modules)) : "";
  return scope === "" || scope.includes(",") ? "--allow-ffi" : `--allow-ffi=${scope}`;
}

/** Where a path leads: node_modules may be a link, and Deno checks where the code really is. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    // Without permission to read it, its own name has to do.
    return path;
  }
}

/** Allows the folder of the results, and the font: SVG files contain it. */
function readFlag(): string {
  try {
    const font = dirname(fontFile(400));
    if (!font.includes(",")) return `--allow-read=.,${font}`;
  } catch {
    // A package from a registry has no font file here: SVG files then name the font without containing it.
  }
  return "--allow-read=.";
}
