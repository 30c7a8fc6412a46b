import { ENGINE_FLAGS } from "../../../lib/cli/flags/engine_flags.ts";
import { ENGINE_DEFAULTS } from "../../../lib/roofline/settings.ts";
import { SPECULATIVE_FLAGS } from "../../../lib/cli/flags/speculative_flags.ts";
import { SPECULATIVE_DEFAULTS } from "../../../lib/speculative/plan/options.ts";
import { PRECISION_FLAGS } from "../../../lib/cli/flags/precision_flags.ts";
import { DEFAULTS } from "../../../lib/run/plan/device_defaults.ts";
import { FLAG_TABLE } from "../../../lib/cli/flags/table.ts";
import { SUBMIT_FLAGS } from "../../../lib/study/slurm/submit_flags.ts";
import { SWEEP_FLAGS } from "../../../lib/study/work/sweep_flags.ts";
import type { FlagSpec } from "../../../lib/flags/spec.ts";
import { COMPARE_FLAGS } from "../../../lib/study/compare/compare_flags.ts";
import { NIGHTLY_FLAGS } from "../../../lib/study/nightly/nightly_flags.ts";
import { HISTORY_FLAGS } from "../../../lib/study/history/history_flags.ts";
import type { Pages } from "./pages.ts";

type ByDevice = Readonly<Record<"cuda" | "cpu", Readonly<Record<string, unknown>>>>;
type Table = Readonly<Record<string, FlagSpec<unknown>>>;

/** The page with the tables. */
export const FLAG_PAGE = "docs/cli.md";

/** Of tasks that measure nothing. */
const NO_DEVICE: ByDevice = { cuda: {}, cpu: {} };

/** Task → its flags, in the order of the help, and the defaults that depend on the device. */
const TABLES: Readonly<Record<string, readonly [Table, ByDevice]>> = {
  "bench": [FLAG_TABLE as Table, DEFAULTS as unknown as ByDevice],
  "sweep": [SWEEP_FLAGS as Table, { cuda: {}, cpu: {} }],
  "sweep submit": [SUBMIT_FLAGS as Table, { cuda: {}, cpu: {} }],
  "precision": [PRECISION_FLAGS as Table, DEFAULTS as unknown as ByDevice],
  "speculative": [SPECULATIVE_FLAGS as Table, SPECULATIVE_DEFAULTS],
  "bench:engine": [ENGINE_FLAGS as Table, ENGINE_DEFAULTS],
  "history": [HISTORY_FLAGS as Table, NO_DEVICE],
  "nightly": [NIGHTLY_FLAGS as Table, NO_DEVICE],
  "compare": [COMPARE_FLAGS as Table, NO_DEVICE],
};

/** Names of all flags of the tasks above. */
export const flagNames: ReadonlySet<string> = new Set(Object.values(TABLES).flatMap(([table]) => Object.keys(table)));

/** Rewrites the tables between the page's marks; text outside of the marks stays. */
export function withFlagTables(page: string): string {
  return page.replaceAll(
    /(<!-- flags of ([^>]+) -->\n)[^]*?(<!-- end of flags -->)/g,
    (_, begin: string, task: string, end: string) => `${begin}\n${markdownOf(task)}\n${end}`,
  );
}

/** Finds tables on the page that differ from the flags or are missing. */
export function flagFaults(pages: Pages): string[] {
  const page = pages.get(FLAG_PAGE) ?? "";
  const missing = Object.keys(TABLES).filter((task) => !page.includes(`<!-- flags of ${task} -->\n`))
    .map((task) => `${FLAG_PAGE}: no flags of ${task}`);
  if (missing.length > 0) return missing;
  const now = withFlagTables(page).split("\n");
  const line = page.split("\n").findIndex((text, i) => text !== now[i]);
  return line < 0 ? [] : [`${FLAG_PAGE}:${line + 1}: differs from the flags; run \`deno task docs:check --write\``];
}

/** Returns a heading and a table for each group of a task's flags, laid out as by `deno fmt`. */
function markdownOf(task: string): string {
  const [table, byDevice] = TABLES[task]!;
  const groups = Map.groupBy(Object.entries(table), ([, { group }]) => group);
  return [...groups].map(([group, flags]) => {
    const rows = flags.map(([name, flag]) => [leftOf(name, flag), defaultOf(name, flag, byDevice), cell(flag.help)]);
    return `### ${group}\n\n${tableOf([["flag", "default", "meaning"], ...rows])}\n`;
  }).join("\n");
}

function tableOf(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((text, i) => text.padEnd(widths[i]!)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function leftOf(name: string, { value, short }: FlagSpec<unknown>): string {
  const long = `\`--${name}${value === undefined ? "" : ` ${cell(value)}`}\``;
  return short === undefined ? long : `\`-${short}\`, ${long}`;
}

function defaultOf(name: string, flag: FlagSpec<unknown>, { cuda, cpu }: ByDevice): string {
  if (flag.value === undefined) return "off";
  if (flag.defaultText !== undefined) return cell(flag.defaultText);
  if (flag.default !== undefined) return code(flag.default);
  return `${cuda[name]}` === `${cpu[name]}` ? code(cuda[name]) : `${code(cuda[name])} (CPU ${code(cpu[name])})`;
}

const code = (value: unknown) => `\`${cell(`${value}`)}\``;

const cell = (text: string) => text.replaceAll("|", "\\|");
