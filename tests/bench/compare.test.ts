/** `deno task compare` in a child process, with the permissions of its task. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { addToHistory } from "../../lib/study/history/update_history.ts";
import { inventNights, WORLD, writeNights } from "../study/_nights.ts";
import { Bench, project, taskArguments, TemporaryFolder, tiny } from "./_bench.ts";

async function compare(folder: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("compare"), ...args],
    cwd: project,
    env: { NO_COLOR: "1", INIT_CWD: folder },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Three nights; the last is slower in one row. */
async function threeNights(root: string): Promise<string[]> {
  const world = { ...WORLD, rows: 2, rounds: 4, noise: 0.002, commits: 1, roundDrift: 0 };
  const planted = { night: 2, row: 1, tpot: Math.log(1.2), perplexity: 0 };
  const nights = inventNights(1, 3, world, planted);
  await writeNights(`${root}/runs`, nights);
  await Deno.mkdir(`${root}/results`);
  await addToHistory(`${root}/results/history.sqlite`, [`${root}/runs`]);
  return nights.map(({ environment }) => environment.git_commit!);
}

Deno.test("compare takes folders, files, commits, nights and last, and ends with 3 where something is worse", async () => {
  await using folder = new TemporaryFolder();
  const [first, , last] = await threeNights(folder.path);
  const worse = /\nstreaming_64\n +TPOT +1\.\d+x +1\.\d+x +\+\d+\.\d % +\[.*\] +worse\n/;
  for (
    const [a, b] of [
      ["runs/night_02", "runs/night_03/results.json"],
      [first, last],
      ["2026-11-01", "2026-11-03"],
      ["last", "2026-11-03"],
      ["runs/night_02", "last"],
      ["2026-11-01", last],
    ] as const
  ) {
    const { code, stdout, stderr } = await compare(folder.path, a!, b!);
    equal(code, 3, `${a} ${b}: ${stderr}${stdout}`);
    match(stdout, worse);
  }
  const same = await compare(folder.path, "runs/night_01", "runs/night_02", "-o", "md");
  equal(same.code, 0, same.stderr);
  match(same.stdout, /^\*\*0 worse, /);
  const loose = await compare(folder.path, "--min_time", "30%", "runs/night_02", "runs/night_03", "-o", "json");
  equal(loose.code, 0);
  equal(JSON.parse(loose.stdout).options.min_time, 0.3);
});

Deno.test("two runs of the embedded model agree to the last bit", async () => {
  await using folder = new TemporaryFolder();
  for (const name of ["a", "b"]) {
    const run = new Bench([
      ...tiny,
      "--no_chart",
      "--method",
      "baseline",
      "--passes",
      "quality",
      "--output",
      `${folder.path}/${name}`,
    ]);
    equal((await run.ended).code, 0);
  }
  const { code, stdout, stderr } = await compare(folder.path, "a", "b", "--all");
  equal(code, 0, stderr);
  match(stdout, /PPL: bit-equal/);
  ok(!/worse\n|unknown\n/.test(stdout), stdout);
});

Deno.test("compare says what is wrong in one line", async () => {
  await using folder = new TemporaryFolder();
  await threeNights(folder.path);
  await Deno.mkdir(`${folder.path}/empty`);
  const cases: [string[], RegExp][] = [
    [[], /^Cannot compare: 0 names are given; give two/],
    [["a", "b", "c"], /^Cannot compare: 3 names are given/],
    [["last", "last"], /^Cannot compare last with last/],
    [["runs/night_01", "runs/gone"], /^Cannot compare runs\/gone: there is no such file or folder/],
    [["runs/night_01", "empty"], /^Cannot compare empty: there is no results\.json that can be read/],
    [["runs/night_01", "2030-01-01"], /^Cannot compare 2030-01-01: no run of that night is in \S+history\.sqlite/],
    [["runs/night_01", "deadbeef"], /^Cannot compare deadbeef: it is no file or folder, and no run of such a commit/],
    [["runs/night_01", "aaaa"], /^Cannot find the commit aaaa: 3 commits begin so/],
    [["runs/night_01", "last", "--history", "gone.sqlite"], /^Cannot read \S+gone\.sqlite: there is no such file/],
    [["runs/night_01", "runs/night_02", "--min_time", "3"], /^Cannot read --min_time: found "3", give a percentage/],
    [["runs/night_01", "runs/night_02", "--mintime", "3%"], /^Cannot read --mintime: .*did you mean --min_time/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await compare(folder.path, ...args);
    deepEqual([code, stdout], [2, ""], args.join(" "));
    match(stderr, message);
  }
  await Deno.remove(`${folder.path}/runs/night_03`, { recursive: true });
  match(
    (await compare(folder.path, "runs/night_01", "last")).stderr,
    /knows it, and it is gone; deno task history rebuild/,
  );
  const help = await compare(folder.path, "-h");
  equal(help.code, 0);
  match(help.stdout, /^Compare two runs[^]*--min_time P%/);
});
