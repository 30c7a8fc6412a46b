/**
 * `deno task bench`: measures what KV-cache compression costs and gains, and prints a table, results.json and a chart.
 *
 * Exit codes: 0 all configurations were measured; 1 one or more failed or has a figure that is not finite, or the
 * results could not be written; 2 wrong input, before anything was measured; 130 Ctrl-C, 143 SIGTERM and 129 SIGHUP,
 * where finished configurations are kept.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { optionsOf } from "../lib/cli/flags/options_of.ts";
import { expand } from "../lib/cli/expand.ts";
import { type Flags, helpText } from "../lib/cli/flags/parse.ts";
import { readCommand } from "../lib/cli/read_command.ts";
import { runAndReport } from "../lib/cli/run_and_report.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { runScript } from "../lib/cli/run_script.ts";

const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Runs the benchmark that `argv` describes, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const { flags, command } = await readCommand(argv);
  if (flags.help || flags.version) {
    out.line(flags.help ? helpText(config.version) : `kvcompress ${config.version}`);
    return 0;
  }
  return await runAndReport({
    prepare: ({ onNote }) => {
      const configurations = expand(flags);
      flags.warnings.forEach(onNote);
      return Promise.resolve({
        header: header(flags, configurations.map(({ name }) => name)),
        options: { ...optionsOf(flags), configurations, command },
      });
    },
    format: flags.format,
    memory: flags.memory,
    out,
    err,
  });
}

/** Describes what is about to run. */
function header({ model_id, revision, dataset, ...flags }: Flags, names: readonly string[]): string {
  const { skip_layers, positions, seed } = flags;
  const terms = [
    revision === undefined ? model_id : `${model_id} at ${revision}`,
    dataset,
    `skip_layers ${skip_layers.join(",") || "none"}`,
    `positions ${positions}`,
    `seed ${seed}`,
  ];
  const count = names.length === 1 ? "1 configuration" : `${names.length} configurations`;
  return `kvcompress ${config.version}: ${terms.join(", ")}\n${count}: ${names.join(", ")}`;
}

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
