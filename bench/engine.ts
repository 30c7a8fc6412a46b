/**
 * `deno task bench:engine`: measures how far a step is from what the hardware allows. Makes a model with random weights
 * of a known shape and measures memory bandwidth. For the full cache and each method it prints a floor, the time per
 * token with the shares of eviction and host, prefill and memory. It also prints the length from which a method is
 * faster than the full cache.
 *
 * Exit codes: 0 all rows were measured; 1 one or more failed; 2 wrong input; 130 Ctrl-C; 143 SIGTERM.
 *
 * @module
 */
import { printableJson, printableLines } from "../lib/util/printable.ts";
import { openModelFolder } from "../lib/model/folder/model_folder.ts";
import { fromGguf } from "../lib/run/plan/gguf_folder.ts";
import { type EngineFlags, engineHelp, parseEngineFlags } from "../lib/cli/flags/engine_flags.ts";
import { ENGINE_DEFAULTS } from "../lib/roofline/settings.ts";
import { shapeConfig, TemporaryModel } from "../lib/roofline/model_maker.ts";
import { runRoofline } from "../lib/roofline/run_roofline.ts";
import { formatRoofline } from "../lib/roofline/table.ts";
import { probe } from "../lib/run/child/child.ts";
import { Interrupt } from "../lib/cli/interrupt.ts";
import { LauncherWatch } from "../lib/process/launcher.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { fromUserFolder } from "../lib/process/user_folder.ts";
import { runScript } from "../lib/cli/run_script.ts";

/** Exit code if the run's launcher has ended, as in `deno task bench`. */
const ORPHANED = 143;
const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Runs the benchmark that `argv` describes, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const flags = fromWhereUserStands(parseEngineFlags(argv));
  if (flags.help) {
    out.line(engineHelp());
    return 0;
  }
  using interrupt = new Interrupt();
  using launcher = new LauncherWatch();
  const signal = AbortSignal.any([interrupt.signal, launcher.signal]);
  try {
    const failed = await measure(flags, signal);
    return interrupt.code || (launcher.signal.aborted ? ORPHANED : failed ? 1 : 0);
  } catch (error) {
    if (!signal.aborted) throw error;
    err.line("Ended before anything was measured");
    return interrupt.code || ORPHANED;
  }
}

/** Makes paths absolute; they are relative to the user's current folder. */
function fromWhereUserStands({ model_id, shape, ...flags }: EngineFlags): EngineFlags {
  return {
    ...flags,
    model_id: model_id === undefined ? undefined : fromUserFolder(model_id),
    shape: shape?.endsWith(".json") ? fromUserFolder(shape) : shape,
  };
}

/** Measures and prints; returns whether a row failed. */
async function measure(flags: EngineFlags, signal: AbortSignal): Promise<boolean> {
  const started = performance.now();
  const say = (line: string) =>
    err.line(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${printableLines(line)}`);
  if (flags.shape !== undefined) shapeConfig(flags.shape); // an unknown shape throws before any work
  const found = await probe(flags.device, signal);
  if (found.note) say(found.note);
  const shape = flags.shape ?? ENGINE_DEFAULTS[found.device].shape;
  const name = flags.model_id ?? shape;
  if (flags.model_id === undefined) say(`Making ${shape} with random weights`);
  using made = flags.model_id === undefined ? new TemporaryModel(shapeConfig(shape), flags.keep) : undefined;
  if (made && flags.keep) say(`The model stays in ${made.path}`);
  const model = openModelFolder(made?.path ?? await fromGguf(flags.model_id!, { onNote: say, signal }));
  const results = await runRoofline({ flags, model, name, found, say, signal });
  say("Done");
  out.line(flags.json ? printableJson(results) : printableLines(formatRoofline(results)));
  return results.failures.length > 0;
}

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
