/** `deno task history` in a child process, with the permissions of its task. */
import { deepEqual, equal, match } from "node:assert/strict";
import { writeResults } from "../../lib/report/results/results_file.ts";
import { inventRounds } from "../report/_invent.ts";
import { project, taskArguments, TemporaryFolder } from "./_bench.ts";

async function history(folder: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("history"), ...args],
    cwd: project,
    env: { NO_COLOR: "1", INIT_CWD: folder },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("history is made, brought up to date, listed, shown and exported", async () => {
  await using folder = new TemporaryFolder();
  for (const [name, timestamp] of [["a", "20261124_230000"], ["b", "20261125_230000"]] as const) {
    await Deno.mkdir(`${folder.path}/results/${name}`, { recursive: true });
    await writeResults(`${folder.path}/results/${name}`, inventRounds({ baseline: [{}], tova: [{}] }, { timestamp }));
  }
  const file = `${folder.path}/results/history.sqlite`;
  // The folder of the history, if nothing else is known.
  deepEqual(await history(folder.path, "rebuild"), {
    code: 0,
    stdout: `${file}: 2 added, 0 changed, 0 unchanged, 0 removed, 0 skipped\n`,
    stderr: "",
  });
  await Deno.writeTextFile(`${folder.path}/results/b/results.json`, "{");
  const update = await history(folder.path, "add", "results");
  equal(update.code, 1);
  equal(update.stdout, `${file}: 0 added, 0 changed, 1 unchanged, 0 removed, 1 skipped\n`);
  match(update.stderr, /^Skipped: Cannot read \S+b\/results\.json: it is not JSON .*\n$/);

  const list = await history(folder.path, "list");
  equal(list.code, 0, list.stderr);
  match(list.stdout, /\n1 +2026-11-24 23:00 +2026-11-24 .*\n/);
  const shown = await history(folder.path, "show", "results/a");
  match(shown.stdout, /^Run 1\n[^]*\ntova /);
  const csv = await history(folder.path, "export");
  match(csv.stdout, /^run,name,series,.*\n1,baseline,.*\n1,tova,.*\n$/);
  deepEqual(await history(folder.path, "export", "-o", "parquet", "--to", "rows.parquet"), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  const bytes = await Deno.readFile(`${folder.path}/rows.parquet`);
  equal(new TextDecoder().decode(bytes.subarray(0, 4)), "PAR1");
});

Deno.test("history says what is wrong in one line", async () => {
  await using folder = new TemporaryFolder();
  const cases: [string[], RegExp][] = [
    [[], /^Cannot tell what to do with the history: give one of rebuild, add, list, show, export\n$/],
    [["forget"], /^Cannot forget the history: give one of rebuild/],
    [["list"], /^Cannot read \S+results\/history\.sqlite: there is no such file; deno task history rebuild/],
    [["add"], /^Cannot add runs: name their folders\n$/],
    [["rebuild", "gone"], /^Cannot read \S+gone: there is no such file or folder/],
    [["list", "a"], /^Cannot list a: list takes no names\n$/],
    [["show"], /^Cannot show: give one run's number/],
    [["export", "-o", "xls"], /^Cannot read --format: found "xls".*csv, jsonl, parquet/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await history(folder.path, ...args);
    deepEqual([code, stdout], [2, ""], args.join(" "));
    match(stderr, message);
  }
  deepEqual(folder.names(), []);
  const help = await history(folder.path, "--help");
  equal(help.code, 0);
  match(help.stdout, /^The history of all runs[^]*--history FILE/);
});
