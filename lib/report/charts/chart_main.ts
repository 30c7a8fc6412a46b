/**
 * Draws a run's pictures into the folder of its results.json, and prints the names of the PNG files it wrote; an SVG file
 * lies beside each. Runs as a
 * child process: the canvas addon needs --allow-ffi, and the benchmark's parent process does not have it.
 *
 *     deno run -A lib/report/charts/chart_main.ts PARENT results/…/results.json [PICTURE]
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { endWithParent } from "../../process/end_with_parent.ts";
import { InputError } from "../../util/errors.ts";
import { drawBudget } from "./budget_plot.ts";
import { drawComparison } from "./comparison.ts";
import { drawFrontier } from "./frontier.ts";
import { drawHeatmap } from "./heatmap.ts";
import { drawNll } from "./nll_plot.ts";
import { type Picture, PICTURES } from "./pictures.ts";
import { drawPrecision } from "./precision_chart.ts";
import { drawSpeedup } from "./speedup_chart.ts";
import { readJson } from "../results/read_json.ts";
import { speedupResults } from "../results/speculative_reader.ts";
import { readResults } from "../results/results_file.ts";
import { modelFileName } from "../results/results_folder.ts";
import { isTraceFile, readTrace } from "../results/trace.ts";
import type { BenchmarkResults } from "../results/types.ts";

/** Draws one picture of a run, and yields its name. */
async function* one(
  draw: (results: BenchmarkResults, path: string) => Promise<unknown>,
  name: string,
  results: BenchmarkResults,
  folder: string,
): AsyncIterable<string> {
  await draw(results, join(folder, name));
  yield name;
}

/** Each function yields the names of the PNG files it wrote. */
const DRAW: Record<Exclude<Picture, "speedup">, (results: BenchmarkResults, folder: string) => AsyncIterable<string>> =
  {
    comparison: (results, folder) => one(drawComparison, PICTURES.comparison, results, folder),
    precision: (results, folder) => one(drawPrecision, PICTURES.precision, results, folder),
    budget: (results, folder) => one(drawBudget, PICTURES.budget, results, folder),
    frontier: (results, folder) => one(drawFrontier, PICTURES.frontier, results, folder),
    nll: (results, folder) => one(drawNll, PICTURES.nll, results, folder),
    async *traces({ config }, folder) {
      const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter(isTraceFile).sort();
      if (files.length === 0) throw new InputError("there is no trace in the run's folder");
      for (const file of files) {
        const name = `${file.slice(0, -".json".length)}.png`;
        const trace = await readTrace(join(folder, file));
        await drawHeatmap([trace], join(folder, name), { model: modelFileName(config.model_id) });
        yield name;
      }
    },
  };

/** Draws a picture; yields the names of the PNG files it wrote. */
async function* draw(picture: Picture, path: string): AsyncIterable<string> {
  const folder = dirname(path);
  if (picture !== "speedup") return yield* DRAW[picture](await readResults(path), folder);
  await drawSpeedup(await readJson(path, speedupResults), join(folder, PICTURES.speedup));
  yield PICTURES.speedup;
}

if (import.meta.main) {
  endWithParent();
  try {
    const [, path, picture = "comparison"] = Deno.args;
    if (path === undefined) throw new TypeError("Cannot draw: a results.json is needed");
    if (!Object.hasOwn(PICTURES, picture)) throw new TypeError(`Cannot draw: there is no "${picture}"`);
    for await (const name of draw(picture as Picture, path)) console.log(name);
  } catch (error) {
    // The parent reads the last line as the reason.
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
