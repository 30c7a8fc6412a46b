import { join } from "@std/path";
import { LauncherWatch } from "../process/launcher.ts";
import { drawInChild } from "../report/charts/draw_child.ts";
import { formatJson } from "../report/results/json.ts";
import { RESULTS_FILE } from "../report/results/results_file.ts";
import { cannotWrite, createResultsFolder } from "../report/results/results_folder.ts";
import type { SpeculativeResults } from "../report/results/speculative_types.ts";
import { reasonOf, runChild } from "../run/child/child.ts";
import { speedTurns } from "../run/rounds.ts";
import { writeAtomic } from "../util/write_atomic.ts";
import type { SpeculativeEvent, SpeculativeRequest } from "./child/protocol.ts";
import type { SpeculativeOptions } from "./plan/options.ts";
import { planSpeculative, type SpeculativePlan } from "./plan/plan.ts";
import { summarize } from "./summary/summarize.ts";

/** A run that has ended. */
export interface SpeculativeOutcome {
  readonly results: SpeculativeResults;
  /** The run's folder; null if none was asked for. */
  readonly folder: string | null;
  /** The picture, if it was drawn. */
  readonly picture: string | null;
  /** Whether it was ended early. */
  readonly interrupted: boolean;
}

/** Largest time limit of a timer, ms. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Measures speculative decoding against plain decoding: in every round each draft and gamma writes its texts in a
 * process of its own, in an order that is shuffled anew. Writes results.json anew after each text, and draws the picture
 * at the end.
 *
 * @example
 * ```ts
 * import { parseSpeculativeFlags } from "../cli/flags/speculative_flags.ts";
 * import { runSpeculative } from "./run_speculative.ts";
 *
 * const flags = parseSpeculativeFlags(["--draft", "ngram", "--lengths", "128,512"]);
 * const run = () => runSpeculative({ ...flags, output: null }, console.error);
 * ```
 *
 * @param options What to measure.
 * @param say Told of each process that begins.
 * @returns The results.
 * @throws {InputError} For a mistake in the options, before anything is measured.
 */
export async function runSpeculative(
  options: SpeculativeOptions,
  say: (line: string) => void,
): Promise<SpeculativeOutcome> {
  using launcher = new LauncherWatch();
  const signal = AbortSignal.any([...(options.signal ? [options.signal] : []), launcher.signal]);
  const plan = await planSpeculative({ ...options, signal });
  signal.throwIfAborted();
  const { results } = plan;
  const { model_id: modelId, timestamp } = results.config;
  const folder = options.output === null
    ? null
    : await createResultsFolder({ output: options.output, method: "speculative", modelId, timestamp });
  const save = async () => {
    summarize(results);
    if (folder === null) return;
    try {
      await writeAtomic(join(folder, RESULTS_FILE), `${formatJson(results)}\n`);
    } catch (error) {
      throw cannotWrite(folder, error);
    }
  };
  await save();
  await measure(plan, { ...options, signal }, say, save);
  let picture: string | null = null;
  const isDrawn = folder !== null && !options.no_chart && !launcher.signal.aborted;
  if (isDrawn && results.rows.some(({ speedup }) => speedup !== null)) {
    const drawn = await drawInChild(join(folder, RESULTS_FILE), "speedup", signal.aborted ? launcher.signal : signal);
    if ("warning" in drawn) options.onNote?.(drawn.warning);
    else picture = drawn.path;
  }
  return { results, folder, picture, interrupted: signal.aborted };
}

async function measure(
  { results, configurations, prompts }: SpeculativePlan,
  { repetitions, seed, signal, timeout }: SpeculativeOptions & { readonly signal: AbortSignal },
  say: (line: string) => void,
  save: () => Promise<void>,
): Promise<void> {
  const failed = new Set<string>();
  const counts = { configurations: configurations.length, repetitions, samples: prompts.length, seed };
  for (const { round, place, configuration, samples } of speedTurns(counts)) {
    if (signal.aborted) return;
    const { name, draft, gamma, request } = configurations[configuration]!;
    if (failed.has(name)) continue;
    say(`Round ${round + 1} of ${repetitions}: ${name}`);
    const texts = samples.flatMap((sample) => prompts[sample]!.map((prompt) => ({ sample, prompt })));
    const late = timeout === undefined ? undefined : AbortSignal.timeout(Math.min(timeout * 1000, LONGEST_MS));
    const end = await runChild<SpeculativeEvent, SpeculativeRequest>(
      { ...request, texts },
      async (event) => {
        if (event.type !== "sample") return;
        results.runs.push({ name, draft, gamma, round, place, ...event.text });
        await save();
      },
      AbortSignal.any([signal, ...(late ? [late] : [])]),
      import.meta.resolve("./child/child_main.ts"),
    );
    if (end.code === 0 || signal.aborted) continue;
    failed.add(name);
    results.failures.push({ name, reason: late?.aborted ? `it took over ${timeout} s (--timeout)` : reasonOf(end) });
    await save();
  }
}
