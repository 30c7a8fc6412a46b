/** `deno task page` in a child process, with the permissions of its task. */
import { equal, match, ok } from "node:assert/strict";
import { writeResults } from "../../lib/report/results/results_file.ts";
import { inventResults } from "../report/_invent.ts";
import { project, taskArguments, TemporaryFolder } from "./_bench.ts";

async function page(args: readonly string[], cwd = Deno.cwd()) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("page"), ...args],
    cwd: project,
    env: { NO_COLOR: "1", INIT_CWD: cwd },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("page writes one file of all runs below a folder, the same each time", async () => {
  await using folder = new TemporaryFolder();
  for (const [place, size] of [["a", 256], ["deep/b", 512]] as const) {
    await Deno.mkdir(`${folder.path}/runs/${place}`, { recursive: true });
    await writeResults(
      `${folder.path}/runs/${place}`,
      inventResults({ baseline: [{}], [`streaming_${size}`]: [{ final_cache_size: size }] }, {
        timestamp: `20250101_000${size}`,
      }),
    );
  }
  const first = await page(["runs"], folder.path);
  equal(first.code, 0, first.stderr);
  equal(first.stdout, `${folder.path}/report.html\n`);
  match(first.stderr, /^4 rows of 2 runs, \d+ kB\n$/);
  const html = await Deno.readTextFile(`${folder.path}/report.html`);
  match(html, /^<!DOCTYPE html>/);
  ok(html.includes("<summary>streaming_256</summary>") && html.includes("File: deep/b/results.json."));
  ok(!html.includes(folder.path), "no path of this machine is in the page");
  const named = await page(["--output", "named.html", `${folder.path}/runs/deep`, "runs/a"], folder.path);
  equal(named.code, 0, named.stderr);
  equal(await Deno.readTextFile(`${folder.path}/named.html`), html);
});

Deno.test("page leaves out what cannot be read, says so, and ends with 1", async () => {
  await using folder = new TemporaryFolder();
  for (const place of ["good", "bad"]) await Deno.mkdir(`${folder.path}/runs/${place}`, { recursive: true });
  await writeResults(`${folder.path}/runs/good`, inventResults({ baseline: [{}] }));
  await Deno.writeTextFile(`${folder.path}/runs/bad/results.json`, '{"config": {}}');
  const { code, stdout, stderr } = await page(["runs"], folder.path);
  equal(code, 1);
  equal(stdout, `${folder.path}/report.html\n`);
  match(
    stderr,
    /^Left out: Cannot read .*bad\/results\.json: config\.model_id is missing.*\n1 row of 1 run, \d+ kB\n$/,
  );
});

Deno.test("page says what is wrong in one line", async () => {
  await using folder = new TemporaryFolder();
  await Deno.mkdir(`${folder.path}/empty`);
  await Deno.mkdir(`${folder.path}/run`);
  await writeResults(`${folder.path}/run`, inventResults({ baseline: [{}] }));
  await Deno.mkdir(`${folder.path}/damaged`);
  await Deno.writeTextFile(`${folder.path}/damaged/results.json`, "{");
  const cases: [string[], RegExp][] = [
    [[], /^Cannot make a page: no folder is given/],
    [["--out", "x.html", "run"], /^Cannot read --out: the flags are --output and --help/],
    [["--output", "", "run"], /^Cannot read --output: give one file, as in --output report\.html/],
    [["gone"], /^Cannot read .*gone: there is no such file or folder/],
    [["run", "empty"], /^Cannot find results in .*empty: there is no results\.json in it or below/],
    [["damaged"], /^Cannot read .*damaged\/results\.json: it is not JSON/],
    [["--output", "gone/x.html", "run"], /^Cannot write .*gone\/x\.html: .*name another file with --output/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await page(args, folder.path);
    equal(code, 2, `${args}: ${stderr}`);
    equal(stdout, "");
    match(stderr, message);
    equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
  ok(!folder.names()!.includes("report.html"));
  match((await page(["--help"])).stdout, /^Usage: deno task page/);
});
