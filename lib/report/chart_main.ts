/**
 * Draws a run's picture beside its results.json. Run as a child process, for the canvas addon needs --allow-ffi and the
 * benchmark's parent process has none.
 *
 *     deno run -A lib/report/chart_main.ts results/…/results.json [comparison | nll]
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { drawComparison } from "./chart.ts";
import { drawNll } from "./nll_plot.ts";
import { PICTURES } from "./pictures.ts";
import { readResults } from "./results_file.ts";

if (import.meta.main) {
  try {
    const [path, picture = "comparison"] = Deno.args;
    if (path === undefined) throw new TypeError("Cannot draw: a results.json is needed");
    if (picture !== "comparison" && picture !== "nll") throw new TypeError(`Cannot draw: there is no "${picture}"`);
    const draw = { comparison: drawComparison, nll: drawNll }[picture];
    await draw(await readResults(path), join(dirname(path), PICTURES[picture]));
  } catch (error) {
    // The parent takes the last line for the reason.
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
