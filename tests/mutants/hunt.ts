/** Whether the tests notice a fault. */
import { type End, runIn, SourceCopy } from "./source_copy.ts";
import { CACHE_MUTANTS } from "./cache_mutants.ts";
import { MODEL_MUTANTS } from "./model_mutants.ts";
import { POLICY_MUTANTS } from "./policy_mutants.ts";
import { SPECULATIVE_MUTANTS } from "./speculative_mutants.ts";
import { STUDY_MUTANTS } from "./study_mutants.ts";
import type { Mutant, Tests } from "./mutant.ts";

/** All faults that tests without a GPU notice. */
export const MUTANTS: readonly Mutant[] = [
  ...CACHE_MUTANTS,
  ...POLICY_MUTANTS,
  ...MODEL_MUTANTS,
  ...SPECULATIVE_MUTANTS,
  ...STUDY_MUTANTS,
];

/** The longest that tests of one file may take, ms. */
const PATIENCE = 300_000;
const FLAGS = [
  "--no-check",
  "--frozen",
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--allow-env",
  "--allow-ffi",
  "--allow-sys",
  "--allow-net=127.0.0.1",
];

/** What became of a fault. */
export interface Hunted {
  readonly mutant: Mutant;
  /** The tests that failed; undefined if it survived. */
  readonly caughtBy?: Tests;
  /** The first test that failed, or how else it ended. */
  readonly how: string;
  readonly seconds: number;
}

async function test(folder: string, [file, filter]: Tests): Promise<End> {
  const only = filter === undefined ? [] : ["--filter", filter];
  return await runIn(folder, ["test", ...FLAGS, "--fail-fast", ...only, file], PATIENCE);
}

const titleOf = ([file, filter]: Tests) => filter === undefined ? file : `${file}, "${filter}"`;

/** The first test that failed; a module that does not load is no test that failed. */
function failureOf({ end, out }: End): string {
  if (end === "hung") return "hung";
  const failed = /^(.+?) \.\.\. FAILED/m.exec(out) ?? /^(.+?) => \.\//m.exec(out);
  return failed?.[1]?.trim() ?? `ended: ${out.trim().split("\n").at(-1)}`;
}

/** Plants a fault, and runs its tests until one fails. */
async function hunt(copy: SourceCopy, mutant: Mutant): Promise<Hunted> {
  const start = performance.now();
  const restore = copy.plant(mutant);
  const seconds = () => (performance.now() - start) / 1000;
  try {
    for (const tests of mutant.tests) {
      const end = await test(copy.path, tests);
      if (end.end !== "passed") return { mutant, caughtBy: tests, how: failureOf(end), seconds: seconds() };
    }
    return { mutant, how: "survived", seconds: seconds() };
  } finally {
    restore();
  }
}

/** Runs jobs, some at a time, each with its own copy of the source. */
async function inCopies<T>(jobs: readonly T[], parallel: number, work: (copy: SourceCopy, job: T) => Promise<void>) {
  const waiting = [...jobs];
  await Promise.all(Array.from({ length: Math.min(parallel, jobs.length) }, async () => {
    using copy = new SourceCopy();
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await work(copy, job);
  }));
}

/**
 * Runs the tests of mutants on the source as it is, and then each mutant.
 *
 * @param parallel How many at a time.
 * @param tell Called with each result.
 * @throws {Error} If tests fail on the source as it is, or run nothing: then a failure would say nothing of a fault.
 */
export async function huntAll(
  mutants: readonly Mutant[],
  parallel: number,
  tell: (hunted: Hunted) => void,
): Promise<Hunted[]> {
  const distinct = new Map(mutants.flatMap(({ tests }) => tests).map((tests) => [titleOf(tests), tests]));
  await inCopies([...distinct], parallel, async (copy, [title, tests]) => {
    const { end, out } = await test(copy.path, tests);
    if (end !== "passed" || !/\b[1-9]\d* passed\b/.test(out)) {
      throw new Error(
        `Cannot hunt mutants with ${title}: without any it ${end === "passed" ? "runs no test" : end}\n${out}`,
      );
    }
  });
  const found: Hunted[] = [];
  await inCopies(mutants, parallel, async (copy, mutant) => {
    const hunted = await hunt(copy, mutant);
    tell(hunted);
    found.push(hunted);
  });
  return mutants.map((mutant) => found.find((hunted) => hunted.mutant === mutant)!);
}
