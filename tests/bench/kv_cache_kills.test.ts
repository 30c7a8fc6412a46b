/** No process outlives its run, whatever it is doing when the run ends, and no finished result is lost. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { readResults } from "../../lib/report/results/results_file.ts";
import { type SpeedTurn, speedTurns } from "../../lib/run/rounds.ts";
import { hubEnvironment } from "../hub/_environment.ts";
import { bytesOf, commitOf, HubServer } from "../hub/_hub_server.ts";
import { project, taskArguments, TemporaryFolder, tiny } from "./_bench.ts";
import { hasNpx, npxArguments } from "../torture/killed_run.ts";
import { environmentOf, Session, type SessionOptions } from "./_session.ts";

const ignore = Deno.build.os !== "linux";
const quick = [...tiny, "--recent_sizes", "12", "--no_recent_only"];

const start = (args: readonly string[], options?: SessionOptions) =>
  new Session(Deno.execPath(), [...taskArguments("bench"), ...args], options);

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Returns the only run in a folder. */
async function resultsIn(output: string) {
  const [folder, ...others] = [...Deno.readDirSync(output)].map(({ name }) => name);
  deepEqual(others, []);
  return await readResults(join(output, folder!));
}

/** Ends a run's parent, and checks that no process is left and that finished passes are saved. */
async function endsWhole(run: Session, parent: number, signal: Deno.Signal, output: string, finished: number) {
  Deno.kill(parent, signal);
  deepEqual(await run.left(), [], signal);
  const { raw_results, speed_runs, failures } = await resultsIn(output);
  const quality = [...raw_results, ...failures.flatMap(({ quality = [] }) => quality)];
  const saved = speed_runs!.length + quality.length;
  ok(saved >= finished, `${saved} passes`);
}

/** A run that would go on for minutes after its first configuration. */
const long = [...quick, "--window_sizes", "1024"].toSpliced(0, 2, "--max_tokens", "20000", "--positions", "cache");

/** Launcher → the command that starts it. */
const launchers = { task: [Deno.execPath(), "task", "bench"], npx: ["npx", ...npxArguments, "task", "bench"] };
const npx = ignore ? false : await hasNpx();

for (
  const [launcher, who, signal] of [
    ["task", /(^|\/)deno task bench/, "SIGKILL"],
    ["task", / bench\/kv_cache\.ts /, "SIGKILL"],
    ["npx", /^npm exec/, "SIGKILL"],
    ["npx", /^npm exec/, "SIGTERM"],
    ["npx", /^npm exec/, "SIGHUP"],
    ["npx", /^sh -c/, "SIGKILL"],
    ["npx", /(^|\/)deno task bench/, "SIGKILL"],
  ] as const
) {
  const ignored = ignore || launcher === "npx" && !npx;
  Deno.test(
    `bench: by ${launcher}, ${signal} to ${who} ends a run that has long to go`,
    { ignore: ignored },
    async () => {
      await using folder = new TemporaryFolder();
      const [command, ...args] = launchers[launcher];
      await using run = new Session(command!, [...args, ...long, "--output", folder.path]);
      await run.said(/^\[1\/2\] baseline, sample 1\/2: quality/m);
      Deno.kill((await run.process(who)).pid, signal);
      deepEqual(await run.left(), []);
      // A run that ends in order without results deletes its folder.
      for (const name of folder.names()!) await readResults(join(folder.path, name));
    },
  );
}

for (const delay of [100, 200, 300, 500]) {
  Deno.test(`bench: a task that is killed ${delay} ms after its start leaves nothing`, { ignore }, async () => {
    await using folder = new TemporaryFolder();
    await using run = new Session(Deno.execPath(), ["task", "bench", ...long, "--output", folder.path]);
    await sleep(delay);
    Deno.kill(run.pid, "SIGKILL");
    deepEqual(await run.left(), []);
  });
}

for (const signal of ["SIGKILL", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`bench: ${signal} to the parent ends a child in the middle of a prompt`, { ignore }, async () => {
    await using folder = new TemporaryFolder();
    // A whole prompt at once in float32 on a CPU takes seconds in one call.
    const args = "--max_tokens 20 --prompt_tokens 6000 --max_new_tokens 2 --num_samples 2 --num_warmup 0 --device cpu";
    await using run = start([...args.split(" "), "--method", "baseline", "--output", folder.path]);
    await run.said(/^round 1\/\d: speed of 1 configuration$/m);
    await sleep(1500); // the model is loaded by then
    await endsWhole(run, run.pid, signal, folder.path, 0).catch((error) => {
      // A run that ends in order before its first result leaves nothing.
      if (signal === "SIGKILL" || folder.names()!.length > 0) throw error;
    });
  });

  Deno.test(`bench: ${signal} to the parent ends a child that is stopped`, { ignore }, async () => {
    await using folder = new TemporaryFolder();
    await using run = start([...quick, "--max_tokens", "300", "--output", folder.path].toSpliced(0, 2));
    await run.said(/\[1\/2\] baseline, sample 2\/2: quality/);
    Deno.kill((await run.process(/child_main\.ts/)).pid, "SIGSTOP");
    await endsWhole(run, run.pid, signal, folder.path, 5);
  });
}

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  Deno.test(`bench: ${signal} to the parent while pictures are drawn loses nothing`, { ignore }, async () => {
    await using folder = new TemporaryFolder();
    await using run = start([...quick, "--output", folder.path]);
    await run.process(/chart_main\.ts/);
    await endsWhole(run, run.pid, signal, folder.path, 8);
  });
}

Deno.test("bench: SIGTERM ends a picture that is not drawn any further", { ignore }, async () => {
  await using folder = new TemporaryFolder();
  await using run = start([...quick, "--output", folder.path]);
  Deno.kill((await run.process(/chart_main\.ts/)).pid, "SIGSTOP");
  Deno.kill(run.pid, "SIGTERM");
  const { code, stdout, stderr } = await run.ended();
  equal(code, 143, stderr);
  match(stdout, /^streaming_16 +0\.\d+/m);
  match(stderr, /^Cannot draw benchmark_comparison\.png: it was interrupted$/m);
  deepEqual(await run.left(), []);
});

for (const signal of ["SIGKILL", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`bench: ${signal} to the parent ends a download, which alone has the token`, { ignore }, async () => {
    const commit = commitOf("a");
    const file = (name: string) => Deno.readFileSync(join(project, "lib/assets/novel-neox-8m", name));
    const files = {
      "config.json": file("config.json"),
      "model.safetensors": bytesOf("x".repeat(1 << 20)),
      "tokenizer.json": file("tokenizer.json"),
    };
    await using server = new HubServer({ "org/novel": { refs: { main: commit }, commits: { [commit]: files } } });
    const held = Promise.withResolvers<void>();
    server.intercept = ({ host }) => {
      // Server of the hub's large files: here, the weights
      if (host !== "cdn") return undefined;
      held.resolve();
      const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1000)) });
      return new Response(body, { headers: { "content-length": `${1 << 20}` } });
    };
    await using folder = new TemporaryFolder();
    const hub = Object.entries(hubEnvironment(folder.path, server.endpoint)).filter(([, value]) => value !== undefined);
    const env = {
      ...Object.fromEntries(hub) as Record<string, string>,
      HF_TOKEN: "hf_secret",
      SECRET_X: "s",
      LD_BIND_NOW: "1",
    };
    await using run = start([...quick, "--model_id", "org/novel", "--output", join(folder.path, "out")], { env });
    await Promise.race([held.promise, run.ended()]);
    // The child before it has listed the files, and has ended.
    const child = await run.process(/hub_main\.ts/);
    const { HF_TOKEN, SECRET_X, LD_BIND_NOW } = await environmentOf(child.pid);
    deepEqual([HF_TOKEN, SECRET_X, LD_BIND_NOW], ["hf_secret", undefined, undefined]);
    Deno.kill(run.pid, signal);
    deepEqual(await run.left(), []);
    equal(folder.names("out"), undefined);
  });
}

Deno.test(
  "bench: a configuration that takes longer than --timeout is recorded as failed, and the others go on",
  { ignore },
  async () => {
    await using folder = new TemporaryFolder();
    await using run = start([...quick, "--timeout", "2", "--output", folder.path]);
    // A stopped child makes no progress, however fast the machine is.
    await run.said(/^round 1\/1: speed of 2 configurations$/m);
    Deno.kill((await run.process(/child_main\.ts/)).pid, "SIGSTOP");
    const { code, stdout, stderr } = await run.ended();
    equal(code, 1, stderr);
    const [{ configuration: first }] = speedTurns({ configurations: 2, repetitions: 1, samples: 2, seed: 0 }) as [
      SpeedTurn,
    ];
    const { configurations, failures } = await resultsIn(folder.path);
    const { name, status } = configurations[first]!;
    match(stdout, new RegExp(`^${name} +failed: it took over 2 s \\(--timeout\\)$`, "m"));
    deepEqual(await run.left(), []);
    const reason = failures.find(({ method }) => method === name)!.reason;
    deepEqual([status, reason], ["failed", "it took over 2 s (--timeout)"]);
    // The other configuration's processes had their own time limits.
    ok(configurations[1 - first]!.status === "done" || failures.every((failure) => failure.reason === reason));
  },
);

Deno.test("bench: a long --timeout does not expire at once", { ignore }, async () => {
  await using folder = new TemporaryFolder();
  await using run = start([...quick, "--timeout", "9000000", "--output", folder.path]);
  const { code, stderr } = await run.ended();
  equal(code, 0, stderr);
});

Deno.test("bench:engine ends with its launcher", { ignore }, async () => {
  await using folder = new TemporaryFolder();
  const args = ["--device", "cpu", "--lengths", "128", "--full_lengths", "512", "--read_mib", "16", "--steps", "2000"];
  await using run = new Session(Deno.execPath(), ["task", "bench:engine", ...args], { env: { TMPDIR: folder.path } });
  await run.said(/\[1\/\d+\] baseline/);
  Deno.kill(run.pid, "SIGKILL");
  deepEqual(await run.left(), []);
  // The model that it made is deleted too.
  deepEqual(folder.names(), []);
});
