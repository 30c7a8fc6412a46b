import type { Pages } from "./pages.ts";

/** Flags of other tasks than the benchmarks. */
const OF_TASKS = [
  "any-nvcc",
  "busy",
  "check",
  "count",
  "disturbed",
  "filter",
  "noise",
  "only",
  "round_drift",
  "rounds",
  "row_drift",
  "threads",
  "tokens",
  "window",
  "write",
] as const;
/** Flags of other programs that pages name. */
const OF_OTHERS = [
  ...["cached-only", "config", "frozen", "no-deps", "target", "gpus", "signal", "time", "constraint", "mem", "requeue"],
  ...["quiet", "now", "channel"],
] as const;

/**
 * Finds tasks and flags on the pages that do not exist in the project. The change log is left out: it describes the
 * past.
 *
 * @param pages The project's pages.
 * @param tasks Names of the tasks.
 * @param flags Names of the benchmarks' flags, with underscores.
 */
export function unknownNames(pages: Pages, tasks: ReadonlySet<string>, flags: ReadonlySet<string>): string[] {
  const others = new Set<string>([...OF_TASKS, ...OF_OTHERS]);
  const isFlag = (flag: string) =>
    flags.has(flag.replaceAll("-", "_")) || others.has(flag) || flag.startsWith("allow-");
  return [...pages].filter(([path]) => path !== "CHANGELOG.md").flatMap(([path, text]) =>
    text.split("\n").flatMap((line, i) => [
      ...namesIn(line, /\bdeno(?:@[\d.]+)? task ([a-z][a-z:-]*)/g).filter((task) => !tasks.has(task))
        .map((task) => `${path}:${i + 1}: no task ${task}`),
      ...namesIn(line, /(?<![\w-])--([a-z][a-z0-9_-]+)/g).filter((flag) => !isFlag(flag))
        .map((flag) => `${path}:${i + 1}: no flag --${flag}`),
    ])
  );
}

function namesIn(line: string, pattern: RegExp): string[] {
  return [...line.matchAll(pattern)].map(([, name]) => name!);
}
