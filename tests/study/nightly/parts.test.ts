/** Parts of a night that need no sweep: what is removed, what is compared with, the hook, the line, the log. */
import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { writeResults } from "../../../lib/report/results/results_file.ts";
import { compareWithNights } from "../../../lib/study/compare/compare_nights.ts";
import { addToHistory } from "../../../lib/study/history/update_history.ts";
import { openHistory } from "../../../lib/study/history/open_history.ts";
import { earlierNights } from "../../../lib/study/nightly/earlier_nights.ts";
import { hookCommand, runHook } from "../../../lib/study/nightly/hook.ts";
import { beginNight, endNight, nightOf, nightsIn } from "../../../lib/study/nightly/night_folder.ts";
import { NightLog } from "../../../lib/study/nightly/night_log.ts";
import { removeOldNights } from "../../../lib/study/nightly/retention.ts";
import { summarize } from "../../../lib/study/nightly/summary.ts";
import { TemporaryFolder } from "../../bench/_bench.ts";
import { inventNights, WORLD } from "../_nights.ts";
import { daysBefore } from "./_nightly.ts";

const TONIGHT = "2026-11-24";
const removing = (keep: number, said: string[] = []) => ({
  ...{ tonight: TONIGHT, keep },
  onRemove: (folder: string) => void said.push(folder),
});

Deno.test("only whole nights that the command made for this plan are removed, and no link is followed", async () => {
  await using folder = new TemporaryFolder();
  const nights = join(folder.path, "nights"), outside = join(folder.path, "outside");
  await Deno.mkdir(nights);
  const date = (days: number) => daysBefore(TONIGHT, days);
  for (const days of [0, 1, 2, 3, 4, -2]) await beginNight(nights, date(days), "paper");
  await beginNight(nights, date(20), "another plan");
  await Deno.mkdir(join(nights, date(21)));
  await Deno.writeTextFile(join(nights, date(21), "notes.txt"), "of a user");
  await beginNight(nights, date(22), "paper");
  await Deno.rename(join(nights, date(22)), join(nights, "kept"));
  await Deno.mkdir(join(nights, ".removing-2026-01-01", "sweep"), { recursive: true });
  // A night elsewhere that a link leads to, and links in and beside nights.
  await Deno.mkdir(outside);
  await beginNight(outside, date(23), "paper");
  await Deno.symlink(join(outside, date(23)), join(nights, date(23)));
  await Deno.symlink(outside, join(nights, ".removing-2026-01-02"));
  await Deno.symlink(outside, join(nights, date(4), "sweep"));
  await Deno.mkdir(join(nights, date(24)));
  await Deno.symlink(join(outside, date(23), "night.json"), join(nights, date(24), "night.json"));

  const said: string[] = [];
  deepEqual(await removeOldNights(nights, "paper", removing(2, said)), [date(4), date(3), date(2)]);
  deepEqual(said, [".removing-2026-01-01", date(4), date(3), date(2)].map((name) => join(nights, name)));
  deepEqual(
    folder.names("nights"),
    [".removing-2026-01-02", date(24), date(23), date(21), date(20), date(1), date(0), date(-2), "kept"],
  );
  deepEqual(folder.names("outside", date(23)), ["night.json"]);
  deepEqual(await removeOldNights(nights, "paper", removing(2)), []);
  await rejects(beginNight(nights, date(21), "paper"), /did not make it for the plan paper; name another folder/);
  await rejects(beginNight(nights, date(20), "paper"), /did not make it for the plan paper/);
  await rejects(beginNight(nights, date(23), "paper"), /did not make it for the plan paper/);
});

Deno.test("of any nights, the last ones stay", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 10 }),
      async (days, keep) => {
        await using folder = new TemporaryFolder();
        for (const each of days) await beginNight(folder.path, daysBefore(TONIGHT, each), "paper");
        await removeOldNights(folder.path, "paper", removing(keep));
        const expected = days.map((each) => daysBefore(TONIGHT, each)).sort().slice(-keep);
        deepEqual(await nightsIn(folder.path, "paper"), expected);
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("each cell is compared with the last nights that have it on the same hardware", async () => {
  await using folder = new TemporaryFolder();
  const nights = join(folder.path, "nights");
  const all = inventNights(1, 9, { ...WORLD, rows: 1 });
  for (const [i, results] of all.entries()) {
    // Tonight's hardware measured every second night.
    results.environment.gpu = null;
    results.environment.cpu = { model: i % 2 === 1 ? "another" : "EPYC", cores: 8 };
    const path = join(nights, daysBefore(TONIGHT, 8 - i), "sweep", "cells", "a");
    await Deno.mkdir(path, { recursive: true });
    await writeResults(path, results);
  }
  // A run by hand, of the same cell.
  await Deno.mkdir(join(folder.path, "nights2", TONIGHT), { recursive: true });
  await writeResults(join(folder.path, "nights2", TONIGHT), all[0]!);
  const path = join(folder.path, "history.sqlite");
  await addToHistory(path, [nights, join(folder.path, "nights2")]);
  const history = openHistory(path, "read");
  const found = (count: number) => earlierNights(history, nights, TONIGHT, count).map(({ night }) => night);
  const days = (...days: number[]) => days.map((each) => daysBefore(TONIGHT, each));
  deepEqual(found(2), days(4, 2, 1), "the last night is there, to tell what tonight lacks");
  deepEqual(found(7), days(8, 6, 4, 2, 1));
  deepEqual(earlierNights(history, nights, daysBefore(TONIGHT, 8), 7), []);
  const [first] = earlierNights(history, nights, TONIGHT, 7);
  deepEqual(first!.files, [join(nights, daysBefore(TONIGHT, 8), "sweep", "cells", "a", "results.json")]);
  history.close();
});

Deno.test("a hook gets its arguments, variables and input as they are; one that does not read them is no problem", async () => {
  const lines: string[] = [];
  const call = {
    env: { KVCOMPRESS_NIGHT: "a $b" },
    input: "x\n".repeat(100_000),
    onLine: (line: string) => void lines.push(line),
  };
  const sh = hookCommand(
    "hook",
    '["/bin/sh", "-c", "echo \\"$1 $KVCOMPRESS_NIGHT\\"; wc -l >&2; exit 5", "sh", "a;  *"]',
  );
  equal(await runHook(sh, call), 5);
  deepEqual(lines.map((line) => line.trim()).sort(), ["100000", "a;  * a $b"]);
  equal(await runHook(hookCommand("hook", "/bin/true"), call), 0);
  throws(() => hookCommand("hook", "/bin"), /is no file/);
  throws(() => hookCommand("hook", "[]"), /give a program's path first/);
});

Deno.test("the line names what is worse, in which model, what failed, and how much more there is", () => {
  const all = inventNights(2, 5, WORLD);
  const at = (results: typeof all[number], file: string) => [{ file, results }];
  const last = structuredClone(all[4]!);
  for (const raw of last.raw_results) {
    if (/_(64|128|192|256)$/.test(raw.method)) raw.nll = raw.nll.map((loss) => loss + 0.01);
  }
  const comparison = compareWithNights(all.slice(0, 4).map((each, i) => at(each, `${i}`)), at(last, "4"));
  const outcome = {
    plan: "p",
    night: TONIGHT,
    cells: { done: 7, failed: 1, left: 0 },
    nights: 4,
    problems: [],
    see: "x",
  };
  const line = summarize({ ...outcome, comparison });
  match(
    line,
    /: REGRESSION: streaming_64 PPL \+1\.0\d\d %, .* and \d+ more; FAILED; 7 cells done, 1 failed; against 4 nights: /,
  );
  equal(line.split("\n").length, 1);
  const failed = summarize({ ...outcome, comparison: null, problems: ["comparison: no\nspace"] });
  match(failed, /: FAILED; comparison: no\\nspace; 7 cells done, 1 failed; x$/);
});

Deno.test("a night lasts from noon to noon", () => {
  equal(nightOf(new Date(2026, 10, 24, 12, 0, 0)), "2026-11-24");
  equal(nightOf(new Date(2026, 10, 25, 11, 59, 59)), "2026-11-24");
  equal(nightOf(new Date(2027, 0, 1, 3, 0, 0)), "2026-12-31");
});

Deno.test("a log's lines have times and no colours, in whatever pieces they come; a night's file notes its ends", async () => {
  await using folder = new TemporaryFolder();
  const path = join(folder.path, "log");
  for (const pieces of [["a\nb", "c\n"], ["\x1b[31mred\x1b[0m é\n"]]) {
    await using log = await NightLog.open(path, () => "T");
    for (const piece of pieces) log.outlet.write(piece);
  }
  equal(await Deno.readTextFile(path), "T a\nT bc\nT \\x1b[31mred\\x1b[0m é\n");
  const paths = await beginNight(folder.path, TONIGHT, "paper");
  await endNight(paths, 1, "failed");
  await endNight(paths, 0, "ok");
  await beginNight(folder.path, TONIGHT, "paper");
  const { ends } = JSON.parse(await Deno.readTextFile(join(paths.folder, "night.json")));
  deepEqual(ends.map(({ code, summary }: { code: number; summary: string }) => [code, summary]), [[1, "failed"], [
    0,
    "ok",
  ]]);
  ok(!(await nightsIn(folder.path, "another")).includes(TONIGHT));
});
