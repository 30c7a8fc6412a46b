/**
 * `deno task speculative`: measures speculative decoding against plain decoding: speed-up, tokens per verification,
 * acceptance by position, and the context length from which on each draft pays. Prints a table, and writes results.json
 * and a chart.
 *
 * Exit codes: 0 everything was measured; 1 a draft failed, or a greedy text is not that of plain decoding; 2 wrong
 * input, before anything was measured; 130 Ctrl-C; 143 SIGTERM.
 *
 * @module
 */
import { parseSpeculativeFlags, speculativeHelp } from "../lib/cli/flags/speculative_flags.ts";
import { Interrupt } from "../lib/cli/interrupt.ts";
import { DownloadProgress } from "../lib/cli/progress/download_progress.ts";
import { terminalColumns } from "../lib/cli/progress/terminal_columns.ts";
import { runScript } from "../lib/cli/run_script.ts";
import { Outlet } from "../lib/process/outlet.ts";
import { formatSpeculative } from "../lib/speculative/summary/table.ts";
import { runSpeculative } from "../lib/speculative/run_speculative.ts";
import { printableJson, printableLines } from "../lib/util/printable.ts";

/** Exit code if the run's launcher has ended, as in `deno task bench`. */
const ORPHANED = 143;
const out = new Outlet(Deno.stdout);
const err = new Outlet(Deno.stderr);

/** Runs what `argv` describes, and returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const flags = parseSpeculativeFlags(argv);
  if (flags.help) {
    out.line(speculativeHelp());
    return 0;
  }
  const started = performance.now();
  const say = (line: string) =>
    err.line(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${printableLines(line)}`);
  using interrupt = new Interrupt();
  using download = new DownloadProgress({ isTerminal: Deno.stderr.isTerminal(), write: (text) => err.write(text) });
  const tools = {
    signal: interrupt.signal,
    onDownload: (event: Parameters<typeof download.update>[0]) => download.update(event),
    onNote: (note: string) => {
      download.close();
      say(note);
    },
  };
  try {
    const { results, folder, picture, interrupted } = await runSpeculative({ ...flags, ...tools }, say);
    const terminal = Deno.stdout.isTerminal() ? terminalColumns() : undefined;
    out.line(flags.json ? printableJson(results) : printableLines(formatSpeculative(results, terminal)));
    if (folder !== null) err.line(`Results: ${folder}/results.json`);
    if (picture !== null) err.line(`Picture: ${picture}`);
    const isOther = results.rows.some(({ draft_figures }) =>
      results.config.bit_equal && draft_figures?.equals_plain === false
    );
    return interrupt.code || (interrupted ? ORPHANED : results.failures.length > 0 || isOther ? 1 : 0);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    err.line("Ended before anything was measured");
    return interrupt.code;
  }
}

if (import.meta.main) await runScript(() => main(Deno.args), out, err);
