/** Nights as cron runs them: regressions, hooks, ends, locks. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { NightLock } from "../../../lib/study/nightly/night_lock.ts";
import { TemporaryFolder } from "../../bench/_bench.ts";
import {
  copyNight,
  daysBefore,
  edit,
  logOf,
  moveNight,
  night,
  nightsOf,
  QUALITY,
  resultsIn,
  startNight,
  writePlan,
} from "./_nightly.ts";

Deno.test("in cron's environment a night prints one line; the next one measures anew, finds what was planted, and runs the hook", async () => {
  await using folder = new TemporaryFolder();
  const plan = await writePlan(folder), nights = join(folder.path, "nights");
  const first = await startNight(plan, nights, [], "task").ended;
  deepEqual([first.code, first.err], [0, ""], first.out);
  const [tonight] = nightsOf(nights);
  match(first.out, /^kvcompress nightly tiny \d{4}-\d\d-\d\d: ok; 2 cells done; no earlier night [^\n]*\n$/);
  ok(first.out.endsWith(`; ${join(nights, tonight!, "report.html")}\n`), first.out);
  const log = logOf(nights, tonight!);
  for (const line of log.trimEnd().split("\n")) {
    match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d [\x20-\x7e]*$/);
  }
  match(log, /\[2\/2/);
  deepEqual(folder.names(), ["history.sqlite", "nights", "plan.json"]);
  deepEqual(folder.names("nights", tonight!), ["night.json", "nightly.log", "report.html", "sweep"]);

  // Three earlier nights in which tova's losses were lower, measured by another build.
  for (const days of [2, 3]) await copyNight(nights, tonight!, daysBefore(tonight!, days));
  await moveNight(nights, tonight!, daysBefore(tonight!, 1));
  for (const days of [1, 2, 3]) {
    await edit(nights, daysBefore(tonight!, days), (results) => {
      results.environment.code_sha256 = "0".repeat(64);
      for (const raw of results.raw_results) {
        if (raw.method === "tova_8") raw.nll = raw.nll.map((loss) => loss - 0.001);
      }
    });
  }
  const told = join(folder.path, "told");
  const hook = join(folder.path, "hook.sh");
  await Deno.writeTextFile(
    hook,
    `#!/bin/sh\nprintf '%s\\n' "$1" "$KVCOMPRESS_SUMMARY" "$KVCOMPRESS_NIGHT" > "$2"\ncat >> "$2"\necho done\n`,
  );
  await Deno.chmod(hook, 0o755);
  const second = await night(plan, nights, "--hook", JSON.stringify([hook, "a b; $(id)", told]));
  equal(second.code, 3, second.out + second.err);
  match(second.out, /: REGRESSION: tova_8 PPL \+0\.100 %; 2 cells done; against 3 nights: 1 worse, 0 better, /);
  const [argument, summary, date, ...json] = (await Deno.readTextFile(told)).split("\n");
  deepEqual([argument, date], ["a b; $(id)", tonight]);
  equal(`${summary}\n`, second.out);
  equal(JSON.parse(json.join("\n")).summary.worse, 1);
  match(logOf(nights, tonight!), / hook: done$/m);
  match(logOf(nights, tonight!), /tova_8\s/);
  const began = (night: string) => resultsIn(nights, night)[0]!.config.timestamp;
  ok(began(tonight!) > began(daysBefore(tonight!, 1)), "measured anew");

  // The same night again: nothing is measured. The hook fails, the regression is still told.
  const again = await night(plan, nights, "--hook", "/bin/false");
  equal(again.code, 3);
  match(again.out, /REGRESSION: tova_8 PPL .*; FAILED; hook: .*exit code 1/);
  equal(logOf(nights, tonight!).match(/ job 0 begins/g)?.length, 1);
  const { ends } = JSON.parse(await Deno.readTextFile(join(nights, tonight!, "night.json")));
  deepEqual(ends.map(({ code }: { code: number }) => code), [3, 3]);
});

Deno.test("what some rounds show is measured again, in the jobs that measured it", async () => {
  await using folder = new TemporaryFolder();
  const defaults = { ...QUALITY.defaults, passes: "speed", repetitions: 3 };
  const plan = await writePlan(folder, { ...QUALITY, chunk: 1, defaults });
  const nights = join(folder.path, "nights");
  equal((await night(plan, nights)).code, 0);
  const [tonight] = nightsOf(nights);
  for (const days of [1, 2, 3]) {
    await copyNight(nights, tonight!, daysBefore(tonight!, days));
    await edit(nights, daysBefore(tonight!, days), (results) => {
      for (const run of results.speed_runs!) {
        const isRow = run.method !== "baseline";
        run.tpot = isRow ? 0.01 * (1 + days / 1e4) : 0.01;
        run.ttft = 0.01;
      }
    });
  }
  await edit(nights, tonight!, (results) => {
    for (const run of results.speed_runs!) {
      run.tpot = run.method === "tova_8" && run.round! > 0 ? 0.02 : 0.01;
      run.ttft = 0.01;
    }
  });
  const second = await night(plan, nights);
  const log = logOf(nights, tonight!);
  match(log, /Measures again, as rounds do not agree: 1 cells, jobs 1$/m, log);
  deepEqual(resultsIn(nights, tonight!, "again").map(({ configurations }) => configurations.map(({ name }) => name)), [
    ["baseline", "tova_8"],
  ]);
  const { cells } = JSON.parse(await Deno.readTextFile(join(nights, tonight!, "comparison.json")));
  const tova = cells.find(({ terms }: { terms: { name: string } }) => terms.name === "tova_8");
  equal(tova.b.files.length, 2, `both count: ${second.out}`);
});

Deno.test("a night that was killed goes on with what it had; the lock of the dead process is taken over", async () => {
  await using folder = new TemporaryFolder();
  const plan = await writePlan(folder, { ...QUALITY, chunk: 1 }), nights = join(folder.path, "nights");
  const ended = startNight(plan, nights);
  const begun = () => {
    try {
      return logOf(nights, nightsOf(nights)[0]!).includes("job 0 begins");
    } catch {
      return false;
    }
  };
  const until = async (is: () => boolean, { ended }: { readonly ended: Promise<unknown> }) => {
    let isOver = false;
    void ended.then(() => isOver = true);
    while (!is() && !isOver) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await until(begun, ended);
  ended.process.kill("SIGTERM");
  const { code, out } = await ended.ended;
  equal(code, 143, out);
  match(out, /: ended by a signal; the same command goes on until noon; [^\n]*\n$/);

  const running = startNight(plan, nights);
  const stored = () => {
    try {
      const [tonight] = nightsOf(nights);
      return [...Deno.readDirSync(join(nights, tonight!, "sweep", "cells"))].length;
    } catch {
      return 0;
    }
  };
  await until(() => stored() > 0, running);
  running.process.kill("SIGKILL");
  equal((await running.ended).out, "", "killed before its end");
  const second = await night(plan, nights);
  equal(second.code, 0, second.out + second.err);
  match(second.out, /: ok; 2 cells done; /);
  const [tonight] = nightsOf(nights);
  const log = logOf(nights, tonight!);
  match(log, new RegExp(`Takes over the lock of process ${running.process.pid} on `));
  equal(log.match(/\[\d\/2[^\]]*\] streaming_8/g)?.length, 1, log);
  deepEqual(folder.names("nights", ".lock"), ["workers"]);
});

Deno.test("a second start says who holds the lock, and leaves everything alone", async () => {
  await using folder = new TemporaryFolder();
  const plan = await writePlan(folder), nights = join(folder.path, "nights");
  {
    const { lock } = await NightLock.take(nights);
    await using _ = lock!;
    const { code, out, err } = await night(plan, nights);
    deepEqual([code, err], [1, ""]);
    ok(out.includes(`FAILED: not started, process ${Deno.pid} on ${Deno.hostname()}, since `), out);
    deepEqual(nightsOf(nights), []);
  }
  // Another machine's lock without heartbeats is taken over after a while, one with heartbeats is not.
  {
    const { lock } = await NightLock.take(nights, { host: "other" });
    lock!.claims[Symbol.dispose]();
    const { lock: taken } = await NightLock.take(nights, { stale: 0.5 });
    equal(taken!.previous?.host, "other");
    await lock!.claims.beat();
    equal(lock!.isLost, true);
    await taken![Symbol.asyncDispose]();
    await lock![Symbol.asyncDispose]();
  }
  const { lock } = await NightLock.take(nights);
  ok(lock, "free again");
  await lock[Symbol.asyncDispose]();
});

Deno.test("cells that fail are told, with exit code 1; mistakes have exit code 2 and change nothing", async () => {
  await using folder = new TemporaryFolder();
  const nights = join(folder.path, "nights");
  const plan = await writePlan(folder, { ...QUALITY, grid: { method: "tova", budget: "20%" } });
  const failed = await night(plan, nights);
  equal(failed.code, 1, failed.out);
  match(failed.out, /: FAILED; 0 cells done, 1 failed; /);

  const other = join(folder.path, "other");
  const mistakes: [string[], RegExp][] = [
    [["--keep", "5"], /Cannot compare with 7 earlier nights: --keep 5 leaves 4; give --keep 8 or more/],
    [["--hook", join(folder.path, "none")], /Cannot read --hook: .*there is no .*none/],
    [["--hook", plan], /Cannot read --hook: .*may not be run/],
    [["--hook", "[1]"], /Cannot read --hook: .*give a list of texts/],
    [["--keeps", "5"], /--keep/],
    [["another.json"], /2 plans are given/],
  ];
  const ends = await Promise.all(mistakes.map(async ([flags, expected]) => {
    const { code, out, err } = await night(plan, other, ...flags);
    deepEqual([code, out], [2, ""], err);
    match(err, expected);
  }));
  equal(ends.length, mistakes.length);
  deepEqual(folder.names("other"), undefined);
});
