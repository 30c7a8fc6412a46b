import { join } from "@std/path";
import { terminalColumns } from "../../cli/progress/terminal_columns.ts";
import { formatGrid, type GridRow } from "../../report/tables/grid.ts";
import { csvLines } from "../../report/tables/formats/csv.ts";
import { type FieldValue, rowFields } from "../../report/tables/formats/row_fields.ts";
import { readResults } from "../../report/results/results_file.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { significant } from "../../report/tables/significant.ts";
import { signed } from "../../report/tables/interval_text.ts";
import { InputError } from "../../util/errors.ts";
import { printable, printableJson, printableLines } from "../../util/printable.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { Cells } from "../store/cells.ts";
import { layoutOf } from "../store/layout.ts";
import type { SweepTools } from "../work/sweep_command.ts";
import { varyingTerms } from "../work/sweep_progress.ts";
import { folderOf, reasonOf } from "./status.ts";
import { type JobState, readSweepFolder } from "./sweep_state.ts";

/** Names of the files that it writes. */
const FILES = { csv: "collected.csv", jsonl: "collected.jsonl" };

/** A finished cell as a row. */
interface Row {
  readonly job: JobState["job"];
  readonly name: string;
  readonly fields: Record<string, FieldValue>;
}

/**
 * Runs `deno task sweep collect FOLDER`: prints one table of all finished cells, writes them as CSV and JSON lines, and
 * says what is missing and why. Each cell's results.json stays the truth.
 *
 * @param argv The folder.
 * @param tools Outputs.
 * @returns The exit code: 0 if no cell is missing, else 1.
 * @throws {InputError} If the folder is none of a sweep.
 *
 * @example
 * ```ts
 * import type { SweepTools } from "../work/sweep_command.ts";
 * import { collectSweep } from "./collect.ts";
 *
 * const print = (tools: SweepTools) => collectSweep(["results/sweep_night"], tools);
 * ```
 */
export async function collectSweep(argv: readonly string[], { out, err }: SweepTools): Promise<number> {
  const usage = "deno task sweep collect FOLDER: prints a table of a sweep's cells, writes collected.csv and " +
    "collected.jsonl there, and says what is missing and why";
  if (argv.some((arg) => arg === "--help" || arg === "-h")) {
    out.line(usage);
    return 0;
  }
  const folder = folderOf(argv, "collect");
  const { jobs, notes } = await readSweepFolder(folder);
  for (const note of notes) err.line(printableLines(note));
  const { rows, missing } = await collect(jobs, new Cells(layoutOf(folder)));
  const fields = rows.map(({ fields }) => fields);
  await write(join(folder, FILES.csv), rows.length === 0 ? [] : [csvLines(Object.keys(fields[0]!), fields)]);
  await write(join(folder, FILES.jsonl), rows.map(({ fields }) => printableJson(fields)));
  const width = Deno.stdout.isTerminal() ? terminalColumns() : undefined;
  if (rows.length > 0) out.line(printableLines(tableOf(rows, width)));
  const all = jobs.reduce((sum, { cells }) => sum + cells.length, 0);
  err.line(printableLines(`${all - missing.length} of ${all} cells: ${join(folder, FILES.csv)}, ${FILES.jsonl}`));
  if (missing.length > 0) err.line(printableLines(`${missing.length} are missing:\n${missing.join("\n")}`));
  return missing.length === 0 ? 0 : 1;
}

async function collect(jobs: readonly JobState[], cells: Cells): Promise<{ rows: Row[]; missing: string[] }> {
  const rows: Row[] = [], missing: string[] = [];
  const varying = varyingTerms(jobs.map(({ job }) => job));
  for (const { job, cells: own, holders } of jobs) {
    for (const { cell, state, keys } of own) {
      const title = `job ${job.index}, ${cell.nameInJob}`;
      if (state === "failed") missing.push(`  job ${job.index}, ${await reasonOf(cells, keys, cell.nameInJob)}`);
      else if (state === "running") missing.push(`  ${title}: running on ${holders[0]?.owner.host}`);
      else if (state === "pending") missing.push(`  ${title}: no worker has taken it`);
      let isWhole = state !== "done";
      for (const key of keys) {
        if (state !== "done") continue;
        try {
          const [results, record] = [await readResults(cells.resultsOf(key)), await cells.read(key)];
          const terms = Object.fromEntries(varying.map((name) => [name, job.terms[name] ?? null]));
          const known = { cell: key, job: job.index, hardware: record.inputs.hardware ?? null, host: record.host };
          const figures = rowFields(results, results.configurations.find(({ name }) => name === cell.name)!);
          rows.push({ job, name: cell.nameInJob, fields: { ...known, ...terms, ...figures, ...base(results) } });
          isWhole = true;
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          missing.push(`  ${title}: ${printable(error.message, 300)}`);
          isWhole = true;
        }
      }
      if (!isWhole) missing.push(`  ${title}: it has no results`);
    }
  }
  return { rows, missing };
}

/** The full cache's figures, of the same run. */
function base({ aggregated_stats, configurations }: BenchmarkResults): Record<string, FieldValue> {
  const stats = aggregated_stats[configurations[0]?.name ?? ""];
  return { baseline_tpot_s: stats?.tpot ?? null, baseline_perplexity: stats?.perplexity ?? null };
}

/** One table of all cells: a part for each job. */
function tableOf(rows: readonly Row[], width: number | undefined): string {
  const jobs = [...new Set(rows.map(({ job }) => job))];
  const varying = varyingTerms(jobs);
  const hardware = new Set(rows.map(({ fields }) => fields.hardware));
  const columns = [
    { title: "TPOT ms", group: 0 },
    { title: "vs full", group: 0 },
    { title: "PPL", group: 1 },
    { title: "change %", group: 1 },
    { title: "KL", group: 1 },
    { title: "holds %", group: 2 },
    ...(hardware.size > 1 ? [{ title: "hardware", group: 3 }] : []),
  ];
  const figures = ({ name, fields }: Row): GridRow => {
    const number = (key: string) => typeof fields[key] === "number" ? fields[key] : undefined;
    const text = (value: number | undefined, format: (value: number) => string) =>
      value === undefined ? "-" : format(value);
    const change = number("perplexity_ln_ratio");
    return {
      name: `  ${printable(name, 60)}`,
      cells: [
        // Not a number: speed was not measured.
        text(number("tpot_s"), (value) => Number.isNaN(value) ? "-" : significant(value * 1000, 3)),
        text(number("tpot_ratio"), (value) => value.toFixed(2)),
        text(number("perplexity"), (value) => significant(value, 5)),
        text(change, (value) => signed((Math.exp(value) - 1) * 100, 2)),
        text(number("kl_nats"), (value) => significant(value, 2)),
        text(number("held_share"), (value) => (value * 100).toFixed(1)),
        ...(hardware.size > 1 ? [printable(`${fields.hardware}`, 40)] : []),
      ],
    };
  };
  const grid = jobs.flatMap((job): GridRow[] => {
    const terms = varying.flatMap((name) => job.terms[name] === undefined ? [] : [`${name} ${job.terms[name]}`]);
    const title = printable(["job", job.index, ...terms].join(" "), 100);
    return [{ name: title, cells: "" }, ...rows.filter((row) => row.job === job).map(figures)];
  });
  return formatGrid({ title: "Cell", columns, rows: grid, ruled: true }, width);
}

async function write(path: string, lines: readonly string[]): Promise<void> {
  await writeAtomic(path, lines.map((line) => `${line}\n`).join(""));
}
