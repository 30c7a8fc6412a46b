/**
 * `deno task bench:engine`: how far a step is from what the hardware allows. Makes a model with random weights of a known
 * shape, measures how fast memory is read, and prints for the full cache and each method a floor, the time per token, what
 * eviction and host have of it, prefill, memory, and from which length on a method is faster than the full cache.
 *
 * Exit codes: 0 all rows were measured; 1 one or more failed; 2 a mistake in what was given; 130 Ctrl-C and 143 SIGTERM.
 *
 * @module
 */
import { printableJson, printableLines } from "../lib/printable.ts";
import { InputError } from "../lib/errors.ts";
import { openModelFolder } from "../lib/model/model_folder.ts";
import { ENGINE_DEFAULTS, type EngineFlags, engineHelp, parseEngineFlags } from "../lib/roofline/flags.ts";
import { shapeConfig, TemporaryModel } from "../lib/roofline/model_maker.ts";
import { runRoofline } from "../lib/roofline/run_roofline.ts";
import { formatRoofline } from "../lib/roofline/table.ts";
import { probe } from "../lib/run/child.ts";
import { Interrupt } from "../lib/run/interrupt.ts";

/** Runs the benchmark that `argv` describes; gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const flags = parseEngineFlags(argv);
  if (flags.help) {
    console.log(engineHelp());
    return 0;
  }
  using interrupt = new Interrupt();
  try {
    return await measure(flags, interrupt);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    console.error("Ended before anything was measured");
    return interrupt.code;
  }
}

async function measure(flags: EngineFlags, interrupt: Interrupt): Promise<number> {
  const { signal } = interrupt;
  const started = performance.now();
  const say = (line: string) =>
    console.error(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${printableLines(line)}`);
  if (flags.shape !== undefined) shapeConfig(flags.shape); // a wrong one is refused at once
  const found = await probe(flags.device, signal);
  if (found.note) say(found.note);
  const shape = flags.shape ?? ENGINE_DEFAULTS[found.device].shape;
  const name = flags.model_id ?? shape;
  if (flags.model_id === undefined) say(`Making ${shape} with random weights`);
  using made = flags.model_id === undefined ? new TemporaryModel(shapeConfig(shape), flags.keep) : undefined;
  if (made && flags.keep) say(`The model stays in ${made.path}`);
  const model = openModelFolder(made?.path ?? flags.model_id!);
  const results = await runRoofline({ flags, model, name, found, say, signal });
  say("Done");
  console.log(flags.json ? printableJson(results) : printableLines(formatRoofline(results)));
  return interrupt.code || (results.failures.length > 0 ? 1 : 0);
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(printableLines(error.message));
    Deno.exitCode = 2;
  }
}
