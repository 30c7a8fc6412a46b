/**
 * `deno task torture`: opens thousands of damaged files, and checks that none hangs, crashes, shows secrets or control
 * characters, or silently gives NaN. `--only GROUP`; `--seed N`, the first case's seed; `--count N` cases of a group.
 * With only `--only` and `--seed` it repeats that one case, and prints all its details.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import type { TortureOptions, Verdict } from "./verdict.ts";

/** Group → number of its cases. */
const COUNTS: Readonly<Record<string, number>> = { folders: 400, exports: 150, texts: 150, hub: 100, kills: 200 };

async function* casesOf(group: string, options: TortureOptions): AsyncIterable<Verdict> {
  const groups: Readonly<Record<string, () => Promise<{ run(options: TortureOptions): AsyncIterable<Verdict> }>>> = {
    folders: () => import("./folders.ts"),
    exports: () => import("./exports.ts"),
    texts: () => import("./texts.ts"),
    hub: () => import("./hub_cases.ts"),
    kills: () => import("./kills.ts"),
  };
  if (Object.hasOwn(groups, group)) yield* (await groups[group]!()).run(options);
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["only", "seed", "count"] });
  const isOne = flags.seed !== undefined && flags.only !== undefined && flags.count === undefined;
  const first = Number(flags.seed ?? 1);
  const failures: Verdict[] = [];
  for (const group of flags.only === undefined ? Object.keys(COUNTS) : [flags.only]) {
    if (!Object.hasOwn(COUNTS, group)) {
      console.error(`Cannot read --only: found "${group}", give one of ${Object.keys(COUNTS).join(", ")}`);
      Deno.exit(2);
    }
    const count = isOne ? 1 : Number(flags.count ?? COUNTS[group]);
    const counts = { taken: 0, refused: 0, failed: 0, whole: 0 };
    const started = performance.now();
    for await (const verdict of casesOf(group, { seed: first, count, wholeOneIn: isOne ? 1 : 10 })) {
      counts[verdict.outcome]++;
      if (verdict.whole) counts.whole++;
      if (verdict.outcome === "failed") failures.push(verdict);
      if (isOne || Deno.env.get("VERBOSE")) {
        console.log(JSON.stringify({ ...verdict, detail: verdict.detail.slice(0, 2000) }));
      }
      if (verdict.outcome === "failed") console.log(`FAILED ${group} ${verdict.seed}: ${verdict.damage}`);
    }
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(
      `${group.padEnd(8)} seeds ${first} to ${
        first + count - 1
      }: ${counts.taken} taken, ${counts.refused} refused in order, ` +
        `${counts.failed} failed; ${counts.whole} by the whole command line; ${seconds} s`,
    );
  }
  for (const { group, seed, damage, detail } of failures) {
    console.log(`\n${group} ${seed}: ${damage}\n  ${detail.slice(0, 600).replaceAll("\n", "\n  ")}`);
    console.log(`  again: deno task torture --only ${group} --seed ${seed}`);
  }
  Deno.exitCode = failures.length > 0 ? 1 : 0;
}
