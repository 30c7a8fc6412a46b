/**
 * Cancels the tasks of a sweep of 40 small cells at random moments, and compares what is left with a sweep that was not
 * disturbed, on a Slurm of one node of its own:
 *
 *     deno task sweep:scancels [--count 20] [--seed N] [--longest S]
 *
 * Each time one task that runs is cancelled (scancel), killed with all of its processes (SIGKILL), or told that its time
 * limit is near (USR1). When no task is left, the sweep is submitted again, until all cells are done.
 *
 * Needs root and slurm-wlm. Exit code: 0 if every cell is done once with equal figures, else 1.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { join } from "@std/path";
import { seededRandom } from "../../../lib/util/random.ts";
import { compareSweeps, FORTY, sweepToEnd } from "../_kills.ts";
import { countIn, LocalSlurm, logsOf, pause } from "./_slurm.ts";

const args = parseArgs(Deno.args, { string: ["count", "seed", "longest"] });
const [count, seed, longest] = [args.count ?? 20, args.seed ?? Date.now() % 1e6, args.longest ?? 8].map(Number) as [
  number,
  number,
  number,
];
const WAYS = { scancel: [], SIGKILL: ["--signal=KILL", "--full"], USR1: ["--signal=USR1", "--batch"] };

const started = await LocalSlurm.start();
if (typeof started === "string") {
  console.error(`Cannot start Slurm: ${started}`);
  Deno.exit(1);
}
let code = 1;
{
  await using slurm = started;
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_scancels_" });
  const plan = join(folder, "plan.json");
  await Deno.writeTextFile(plan, JSON.stringify(FORTY));
  console.log(`${count} times, seed ${seed}, in ${folder}`);
  const undisturbed = join(folder, "undisturbed");
  const first = await sweepToEnd(plan, undisturbed);
  if (first.code !== 0) throw new Error(`The undisturbed sweep ended with code ${first.code}:\n${first.said}`);
  console.log(`undisturbed: ${first.said.trimEnd().split("\n").at(-2)}`);
  code = await cancel(slurm, folder, plan, undisturbed);
  if (code === 0) await Deno.remove(folder, { recursive: true });
}
Deno.exit(code);

/** Disturbs sweeps until all times are over; returns the exit code. */
async function cancel(slurm: LocalSlurm, folder: string, plan: string, undisturbed: string): Promise<number> {
  const random = seededRandom(seed);
  const told: Record<string, number> = {};
  let done = 0, isRight = true;
  for (let number = 1; done < count; number++) {
    const own = join(folder, `sweep_${number}`);
    const before = done;
    let submissions = 0;
    while (countIn(join(own, "cells")) < countIn(join(undisturbed, "cells"))) {
      if ((await slurm.tasks()).length === 0) {
        const { code, stdout, stderr } = await slurm.sweep("submit", plan, `--output=${own}`, "--slurm", "--time=60");
        if (code !== 0) throw new Error(stderr);
        // Cells that failed, as their pass was killed, need a wish of the user.
        if (/^Nothing/.test(stdout)) await slurm.sweep("submit", plan, `--output=${own}`, "--slurm", "--retry_failed");
        submissions++;
      }
      await pause(300 + random() * longest * 1000);
      const running = (await slurm.tasks()).filter(({ state }) => state === "RUNNING");
      const one = running[Math.floor(random() * running.length)];
      if (one === undefined || done === count) continue;
      const names = Object.keys(WAYS) as (keyof typeof WAYS)[];
      const how = names[Math.floor(random() * names.length)]!;
      // A task that has ended meanwhile cannot be cancelled.
      if (!await slurm.run("scancel", ...WAYS[how], one.id).then(() => true, () => false)) continue;
      told[how] = (told[how] ?? 0) + 1;
      done++;
    }
    await slurm.untilEmpty();
    const { once, twice, lost, different } = await compareSweeps(own, undisturbed);
    console.log(
      `sweep ${number}: ${done - before} times, submitted ${submissions} times; cells: ${once} done once, ` +
        `${twice.length} twice, ${lost.length} lost; ${different.length} differ; ${
          countIn(join(own, "failed"))
        } failed`,
    );
    isRight &&= twice.length + lost.length + different.length === 0;
    if (!isRight) console.log(logsOf(own));
  }
  console.log(Object.entries(told).map(([how, times]) => `${times} ${how}`).join(", "));
  return isRight ? 0 : 1;
}
