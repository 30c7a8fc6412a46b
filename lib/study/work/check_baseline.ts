import { join } from "@std/path";
import { comparedWith } from "../../report/results/compared_with.ts";
import { list, number, object, string } from "../../report/results/json_reader.ts";
import { readJson } from "../../report/results/read_json.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { shortHash } from "../plan/identity.ts";

const readQuality = object<{ perplexity: number[]; nll: string }>({ perplexity: list(number), nll: string });

/**
 * Compares the baseline's quality with that of earlier runs of the same model, text, terms, code and hardware: it must
 * be the same bit for bit. The first run's is kept.
 *
 * @example
 * ```ts
 * import { checkBaseline } from "./check_baseline.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const run = (perplexity: number) => ({
 *   config: {},
 *   raw_results: [{ method: "baseline", perplexity, nll: [Math.log(perplexity)] }],
 * }) as unknown as BenchmarkResults;
 * console.log(await checkBaseline(folder, "key", run(40)), await checkBaseline(folder, "key", run(40))); // two empty texts
 * console.log((await checkBaseline(folder, "key", run(41))).slice(0, 36)); // the full cache's perplexity is 41, a
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param folder The sweep's folder of baselines.
 * @param key What the baseline depends on.
 * @param results A run in which the baseline has ended.
 * @returns What differs, in one sentence; "" if nothing does.
 */
export async function checkBaseline(folder: string, key: string, results: BenchmarkResults): Promise<string> {
  const reference = comparedWith(results.config);
  const samples = results.raw_results.filter(({ method }) => method === reference);
  if (samples.length === 0 || results.config.passes === "speed") return "";
  const own = {
    perplexity: samples.map(({ perplexity }) => perplexity),
    nll: shortHash(samples.map(({ nll }) => nll), 64),
  };
  const path = join(folder, `${key}.json`);
  const first = await readJson(path, readQuality).catch(() => undefined);
  if (first === undefined) {
    await Deno.mkdir(folder, { recursive: true });
    await writeAtomic(path, `${JSON.stringify(own)}\n`);
    return "";
  }
  if (first.nll === own.nll) return "";
  const [before, now] = [first.perplexity, own.perplexity].map((values) => values.join(", "));
  return `the full cache's perplexity is ${now}, and was ${before} in an earlier run on the same model, text, code and ` +
    "hardware: the machine or a library does not compute alike";
}
