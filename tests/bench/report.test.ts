/** `deno task report` in a child process, with the permissions of its task. */
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { reportText } from "../../lib/report/tables/report_text.ts";
import { writeResults } from "../../lib/report/results/results_file.ts";
import { inventResults } from "../report/_invent.ts";
import { project, taskArguments, TemporaryFolder } from "./_bench.ts";

async function report(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("report"), ...args],
    cwd: project,
    env: { NO_COLOR: "1", INIT_CWD: Deno.cwd() },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** A run of schema 1: three sizes of a method, of which one failed. */
const old = () =>
  inventResults({
    baseline: [{}],
    streaming_256: [{ final_cache_size: 256 }],
    streaming_512: [{ final_cache_size: 512 }],
    streaming_1024: "Out of memory",
  });

Deno.test("report prints the table of an old run again and redraws its pictures", async () => {
  await using folder = new TemporaryFolder();
  await writeResults(folder.path, old());
  const before = await Deno.readTextFile(`${folder.path}/results.json`);
  const { code, stdout, stderr } = await report(folder.path);
  equal(code, 0, stderr);
  equal(stdout, `${reportText(old())}\n`);
  const pictures = ["benchmark_comparison", "quality_over_budget", "frontier", "perplexity_along_text"];
  deepEqual(folder.names(), [...pictures.flatMap((name) => [`${name}.png`, `${name}.svg`]), "results.json"].sort());
  equal(stderr, pictures.map((name) => `Picture: ${folder.path}/${name}.png\n`).join(""));
  equal(await Deno.readTextFile(`${folder.path}/results.json`), before);
});

Deno.test("report takes several runs, of schema 2 too, and --memory", async () => {
  await using folder = new TemporaryFolder();
  const runs = ["a", "b"].map((name) => `${folder.path}/${name}`);
  for (const run of runs) {
    await Deno.mkdir(run);
    await writeResults(run, { ...old(), schema: 2, drift: null, evicted_from: null, comparisons: {}, divergence: {} });
  }
  const { code, stdout } = await report("--memory", ...runs);
  equal(code, 0);
  equal(stdout, runs.map((run) => `${run}\n${reportText(old(), { memory: true })}\n`).join("\n"));
  ok(folder.names("b")!.includes("frontier.svg"));
});

Deno.test("report says what is wrong in one line, before it prints or draws anything", async () => {
  await using folder = new TemporaryFolder();
  await Deno.mkdir(`${folder.path}/good`);
  await Deno.mkdir(`${folder.path}/empty`);
  await Deno.mkdir(`${folder.path}/bad`);
  await writeResults(`${folder.path}/good`, old());
  await Deno.writeTextFile(`${folder.path}/bad/results.json`, '{"config": {}}');
  const cases: [string[], RegExp][] = [
    [[], /^Cannot report: no folder is given/],
    [["--memry", `${folder.path}/good`], /^Cannot read --memry: the flags are --memory, -o, --no_chart and --help/],
    [[`${folder.path}/gone`], /^Cannot report .*gone: there is no such folder; name the folder of a run/],
    [[`${folder.path}/good`, `${folder.path}/empty`], /^Cannot read .*results\.json: there is no such file/],
    [[`${folder.path}/bad`], /^Cannot read .*config\.model_id is missing/],
    [[`${folder.path}/good/results.json`], /^Cannot report .*: it is a file; name the folder/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await report(...args);
    equal(code, 2);
    equal(stdout, "");
    match(stderr, message);
    doesNotMatch(stderr, /\n./);
  }
  deepEqual(folder.names("good"), ["results.json"]);
  const { code, stdout } = await report("--help");
  equal(code, 0);
  match(stdout, /^Usage: deno task report/);
});

Deno.test("report ends with 1 where a picture cannot be drawn", async () => {
  await using folder = new TemporaryFolder();
  await writeResults(folder.path, old());
  // A folder is where the picture should be.
  await Deno.mkdir(`${folder.path}/frontier.png`);
  const { code, stdout, stderr } = await report(folder.path);
  equal(code, 1);
  match(stdout, /streaming_512/);
  match(stderr, /^Cannot draw frontier\.png: /m);
  match(stderr, /^Picture: .*perplexity_along_text\.png$/m);
});
