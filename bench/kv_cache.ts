/**
 * `deno task bench`: measures what KV-cache compression costs and gains, and prints a table, results.json and a chart.
 *
 * Exit codes: 0 all configurations were measured; 1 one or more failed; 2 a mistake in what was given; 130 Ctrl-C.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { InputError } from "../lib/errors.ts";
import { changesAgainstBaseline, formatChanges } from "../lib/report/changes.ts";
import { createProgress } from "../lib/report/progress.ts";
import { stepWarnings } from "../lib/report/step_warnings.ts";
import { formatTable } from "../lib/report/table.ts";
import type { BenchmarkResults } from "../lib/report/types.ts";
import { type BenchmarkRun, runBenchmark } from "../lib/run/benchmark.ts";
import { expand } from "../lib/run/configurations.ts";
import { type Flags, helpText, parseFlags } from "../lib/run/flags.ts";

const encoder = new TextEncoder();
const toStderr = (text: string) => {
  Deno.stderr.writeSync(encoder.encode(text));
};

/** Runs the benchmark that `argv` describes; gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const flags = parseFlags(argv);
  if (flags.help) return print(helpText(config.version));
  if (flags.version) return print(`kvcompress ${config.version}`);
  using progress = createProgress({ isTerminal: Deno.stderr.isTerminal(), write: toStderr });
  const configurations = expand(flags);
  for (const warning of flags.warnings) progress.log(warning);
  progress.log(header(flags, configurations.map(({ name }) => name)));

  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  Deno.addSignalListener("SIGINT", onInterrupt);
  let run: BenchmarkRun;
  try {
    run = await runBenchmark({
      ...flags,
      method: flags.compare_all ? "compare_all" : flags.compare_new ? "compare_new" : flags.method,
      configurations,
      onProgress: (event) => progress.update(event),
      onNote: (message) => progress.log(message),
      signal: interrupt.signal,
    });
  } finally {
    Deno.removeSignalListener("SIGINT", onInterrupt);
    progress.close();
  }
  const { results, folder, chart, interrupted } = run;
  for (const warning of timingNotes(results)) toStderr(`${warning}\n`);
  print(flags.json ? JSON.stringify(results) : report(results));
  toStderr([folder && `Results: ${folder}/results.json`, chart && `Chart:   ${chart}`, ""].filter((x) => x !== null).join("\n"));
  return interrupted ? 130 : results.failures.length > 0 ? 1 : 0;
}

function print(text: string): number {
  console.log(text.trimEnd());
  return 0;
}

function header(flags: Flags, names: readonly string[]): string {
  return [
    `kvcompress ${config.version}: ${flags.model_id}, ${flags.dataset}, skip_layers ${
      flags.skip_layers.join(",") || "none"
    }, positions ${flags.positions}, seed ${flags.seed}`,
    `${names.length} configurations: ${names.join(", ")}`,
  ].join("\n");
}

function report(results: BenchmarkResults): string {
  const { device, dtype, num_samples, max_tokens, prompt_tokens, max_new_tokens } = results.config;
  const { gpu, cpu } = results.environment;
  const terms = `${gpu?.name ?? cpu.model} (${device}), ${dtype}; ${num_samples} sample${num_samples === 1 ? "" : "s"} of ${
    max_tokens
  } tokens; speed: prompt ${prompt_tokens}, ${max_new_tokens} new tokens`;
  const changes = formatChanges(changesAgainstBaseline(results));
  return [terms, "", formatTable(results).trimEnd(), ...(changes ? ["", changes] : [])].join("\n");
}

/** What in the raw step times asks for caution. */
function timingNotes(results: BenchmarkResults): string[] {
  return results.configurations.flatMap(({ name }) => {
    const times = results.raw_results.filter(({ method }) => method === name).map(({ step_times_s }) => step_times_s);
    return times.length > 0 ? stepWarnings(times).map((warning) => `${name}: ${warning}`) : [];
  });
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    toStderr(`${error.message}\n`);
    Deno.exitCode = 2;
  }
}
