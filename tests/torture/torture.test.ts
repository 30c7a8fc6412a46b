/** Some cases of `deno task torture`, and whether its judge finds planted faults. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/util/errors.ts";
import { Chance } from "./chance.ts";
import { CANARY } from "./damage.ts";
import { run as exports } from "./exports.ts";
import { damagedFolder, run as folders } from "./folders.ts";
import { CaseFolder, faultIn, judgeOpened, judgeWhole, Opener } from "./judge.ts";
import { run as texts } from "./texts.ts";
import type { Verdict } from "./verdict.ts";

const groups = { folders: [folders, 40], exports: [exports, 12], texts: [texts, 15] } as const;

for (const [group, [run, count]] of Object.entries(groups)) {
  Deno.test({
    name: `torture: ${count} damaged ${group}`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const failures: Verdict[] = [];
      let seen = 0;
      for await (const verdict of run({ seed: 90_000, count, wholeOneIn: 20 })) {
        seen++;
        if (verdict.outcome === "failed") failures.push(verdict);
      }
      equal(seen, count);
      deepEqual(failures, []);
    },
  });
}

Deno.test("torture: a case is made anew by its seed", async () => {
  const seen = [];
  for (let i = 0; i < 2; i++) {
    await using folder = new CaseFolder();
    const damage = damagedFolder(90_006, folder.given);
    const names = [...Deno.readDirSync(folder.given)].map(({ name }) => name).sort();
    seen.push([damage, names, await Deno.readTextFile(join(folder.given, "config.json"))]);
  }
  deepEqual(seen[0], seen[1]);
  const [a, b] = [new Chance(1), new Chance(2)];
  ok(a.unit() !== b.unit());
});

Deno.test("torture: the judge sees stacks, control characters, bytes from outside, length, and what is no InputError", () => {
  equal(faultIn("Cannot read x: it is a folder\n\ttried y\n"), undefined);
  match(faultIn("a\x1b[2J")!, /control/);
  match(faultIn("a\u202eb")!, /control/);
  match(faultIn("error: Uncaught TypeError")!, /stack/);
  match(faultIn("x\n    at open (file:///a.ts:1:2)")!, /stack/);
  match(faultIn(`x ${CANARY}`)!, /outside/);
  match(faultIn("n".repeat(10_000))!, /characters/);
  const { message, stack } = new TypeError("x");
  equal(judgeOpened({ taken: false, message, stack: stack! }).outcome, "failed");
  equal(judgeOpened({ taken: true, message: "", silent: true }).outcome, "failed");
  equal(judgeOpened({ taken: false, message: new InputError("Cannot").message }).outcome, "refused");
});

Deno.test({
  name: "torture: the judge sees hangs, deaths and memory",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using folder = new CaseFolder();
    await using opener = new Opener();
    // A pipe given as the data set waits for its writer: for this opener that is a hang.
    const pipe = join(folder.given, "pipe");
    ok(new Deno.Command("mkfifo", { args: [pipe] }).outputSync().success);
    match(await opener.open({ type: "text", path: pipe }, 1000) as string, /^hangs/);
    // The next case gets a new process.
    const opened = await opener.open({ type: "text", path: "/no/such/file.txt" });
    ok(typeof opened !== "string" && !opened.taken);
    const going = opener.open({ type: "text", path: pipe });
    await new Promise((resolve) => setTimeout(resolve, 500));
    opener.kill();
    match(await going as string, /^ends the process \(SIGKILL\)/);
    equal((await judgeWhole(["--dataset", pipe], { end: true })).outcome, "refused");
    equal((await judgeWhole(["--no_such_flag"])).outcome, "refused");
  },
});
