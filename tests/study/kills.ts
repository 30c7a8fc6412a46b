/**
 * Kills sweeps of 40 small cells at random moments, and compares what is left with a sweep that was not disturbed:
 *
 *     deno task sweep:kills [--count 200] [--seed N] [--beside] [--longest S]
 *
 * Each kill ends the sweep's process, the run that it started or the process of one pass (SIGKILL), or asks the sweep to
 * end (SIGINT). The same command then goes on. With --beside, a second sweep works on the same folder all the time, and
 * is killed as well. When a sweep is done before all kills are, another one begins. A pass that is killed is a failed
 * cell: `--retry_failed` at the end tries it again.
 *
 * Linux. Exit code: 0 if every cell is done once with equal figures, else 1.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { join } from "@std/path";
import { seededRandom } from "../../lib/util/random.ts";
import { compareSweeps, FORTY, kill, type RunningSweep, startSweep, sweepToEnd, TARGETS } from "./_kills.ts";

const args = parseArgs(Deno.args, { string: ["count", "seed", "longest"], boolean: ["beside"] });
const [count, seed, longest] = [args.count ?? 200, args.seed ?? Date.now() % 1e6, args.longest ?? 6].map(Number) as [
  number,
  number,
  number,
];
const random = seededRandom(seed);
const folder = await Deno.makeTempDir({ prefix: "kvcompress_kills_" });
const plan = join(folder, "plan.json");
await Deno.writeTextFile(plan, JSON.stringify(FORTY));
console.log(`${count} kills, seed ${seed}, in ${folder}`);

const undisturbed = join(folder, "undisturbed");
const began = performance.now();
const { code, said } = await sweepToEnd(plan, undisturbed);
if (code !== 0) throw new Error(`The undisturbed sweep ended with code ${code}:\n${said}`);
console.log(`undisturbed: ${said.trimEnd().split("\n").at(-2)}, ${Math.round((performance.now() - began) / 1000)} s`);

const kills: Record<string, number> = {};
const unexpected: string[] = [];
let done = 0;
let isRight = true;
for (let number = 1; done < count; number++) {
  const own = join(folder, `sweep_${number}`);
  const start = () => startSweep(plan, own, "--stale=10");
  const begin = performance.now();
  const before = done;
  const running: (RunningSweep | undefined)[] = args.beside ? [start(), start()] : [start()];
  let isOver = false;
  while (done < count && !isOver) {
    const which = Math.floor(random() * running.length);
    const one = running[which]!;
    const wait = new Promise<"time">((resolve) => setTimeout(() => resolve("time"), 300 + random() * longest * 1000));
    const first = await Promise.race([wait, one.ended]);
    if (first !== "time") {
      // 0: all done. 1: a cell failed, as its pass was killed.
      isOver = first.code === 0 || first.code === 1;
      if (!isOver) {
        unexpected.push(`code ${first.code}: ${first.said.slice(-300)}`);
        running[which] = start();
      }
      continue;
    }
    const target = TARGETS[Math.floor(random() * TARGETS.length)]!;
    if (!await kill(one, target)) continue;
    done++;
    kills[target] = (kills[target] ?? 0) + 1;
    if (target !== "parent" && target !== "ctrl-c") continue;
    if (target === "ctrl-c") await one.ended;
    running[which] = start();
  }
  await Promise.all(running.map((one) => one?.ended));
  // A cell whose pass was killed has failed: it is tried again now, as a user would ask for.
  const end = await sweepToEnd(plan, own, "--retry_failed");
  if (end.code !== 0) unexpected.push(`code ${end.code} at the end: ${end.said.slice(-600)}`);
  const { once, twice, lost, different } = await compareSweeps(own, undisturbed);
  const seconds = Math.round((performance.now() - begin) / 1000);
  console.log(
    `sweep ${number}: ${done - before} kills, ${seconds} s; cells: ${once} done once, ${twice.length} twice, ` +
      `${lost.length} lost; ${
        different.length === 0
          ? "all figures of quality equal, bit for bit"
          : `${different.length} differ: ${different}`
      }`,
  );
  isRight &&= twice.length + lost.length + different.length === 0;
}
console.log(`kills: ${Object.entries(kills).map(([target, n]) => `${n} ${target}`).join(", ")}`);
for (const text of unexpected) console.log(`unexpected: ${text}`);
if (isRight && unexpected.length === 0) await Deno.remove(folder, { recursive: true });
Deno.exit(isRight && unexpected.length === 0 ? 0 : 1);
