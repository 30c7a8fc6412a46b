/** The suite as a package: loaded from a URL by a script without a checkout. */
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { project, TemporaryFolder } from "../bench/_bench.ts";
import { PackageServer, published } from "./_server.ts";

const script = (mod: string) => `
import { methods, runBenchmark } from ${JSON.stringify(mod)};
const { results, chart, folder } = await runBenchmark({
  configurations: [
    { name: "baseline", policy: methods.baseline() },
    { name: "streaming_64", policy: methods.streaming_llm({ start_size: 4, recent_size: 60 }) },
  ],
  device: "cpu", num_samples: 1, max_tokens: 96, prompt_tokens: 32, max_new_tokens: 4, num_warmup: 0,
  repetitions: 1,
  onNote: (note) => console.error(note),
});
const { environment: { git_commit, code_sha256 }, failures } = results;
const perplexities = results.raw_results.map(({ perplexity }) => perplexity);
console.log(JSON.stringify({ perplexities, failures, git_commit, code_sha256, chart, folder }));
`;

/** Runs a script in its own folder. Returns what it printed. */
async function run(
  folder: TemporaryFolder,
  mod: string,
  flags: readonly string[],
  env: Record<string, string> = {},
  edit = (text: string) => text,
) {
  await Deno.writeTextFile(join(folder.path, "mine.ts"), edit(script(mod)));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...flags, "mine.ts"],
    cwd: folder.path,
    env: { NO_COLOR: "1", ...env },
  }).output();
  return { code, out: new TextDecoder().decode(stdout), notes: new TextDecoder().decode(stderr) };
}

/** Permissions for a user of the package. They include no network: a child process does the package's downloads. */
const permissions = (host: string, cache: string) => [
  "--no-config",
  `--allow-import=${host}`,
  "--allow-read",
  `--allow-write=.,${cache}`,
  `--allow-run=${Deno.execPath()}`,
  "--allow-env",
  "--allow-sys",
];

/** Makes an empty cache of Deno, except for npm packages, which are the machine's. */
async function freshDenoDir(folder: TemporaryFolder): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const path = join(folder.path, "deno_dir");
  await Deno.mkdir(path);
  await Deno.symlink(npmCache, join(path, "npm"), { type: "dir" });
  return path;
}

Deno.test("from a URL, the package measures what a checkout does", async (t) => {
  await using folder = new TemporaryFolder();
  await using here = new TemporaryFolder();
  const { files, printed } = await published();
  await using server = new PackageServer(files);
  const cache = join(folder.path, "cache");
  const env = { DENO_DIR: await freshDenoDir(folder), XDG_CACHE_HOME: cache };
  const flags = permissions(server.host, cache);
  const mod = `http://${server.host}/mod.ts`;

  await t.step("published files name nothing that only a checkout can resolve", () => {
    doesNotMatch(printed, /unable to analyze|unanalyzable|Warning .*import/i);
    ok(files.has("mod.ts") && files.has("lib/assets/manifest.json"));
  });

  await t.step("a file that is not this version's is refused in one line", async () => {
    server.changed.set("lib/assets/novel-neox-8m/config.json", new TextEncoder().encode("{}\n"));
    const { code, notes } = await run(folder, mod, flags, env);
    server.changed.clear();
    equal(code, 1);
    match(
      notes,
      /InputError: Cannot download http:\S+\/config\.json: found SHA-256 \w{64}, this version of .* has \w{64}/,
    );
    equal(folder.names("results"), undefined);
  });

  await t.step("the same numbers, the chart, and where it ran", async () => {
    const remote = await run(folder, mod, flags, env);
    equal(remote.code, 0, remote.notes);
    match(remote.notes, /Downloading lib\/assets\/novel-neox-8m\/ of kvcompress to \S+, once: 17\.1 MB/);
    const config = join(project, "deno.json");
    const local = await run(here, join(project, "mod.ts"), ["--config", config, "-R", "-W", "-E", "-S", "--allow-run"]);
    equal(local.code, 0, local.notes);
    doesNotMatch(local.notes, /Download/);
    const [a, b] = [JSON.parse(remote.out), JSON.parse(local.out)];
    equal(a.perplexities.length, 2);
    deepEqual(a.perplexities, b.perplexities);
    deepEqual(a.failures, []);
    ok(a.chart !== null, remote.notes);
    ok(Deno.statSync(a.chart).size > 10_000);
    deepEqual(Deno.readFileSync(a.chart).subarray(1, 4), new TextEncoder().encode("PNG"));
    deepEqual([a.git_commit, a.code_sha256], [null, null]);
  });

  await t.step("present files are not downloaded again; changed ones are", async () => {
    const [list] = folder.names("cache", "kvcompress", "assets")!;
    const copy = join(cache, "kvcompress", "assets", list!, "lib/assets/novel-neox-8m/config.json");
    Deno.writeTextFileSync(copy, Deno.readTextFileSync(copy).replace("8", "9")); // of the same length
    server.asked.length = 0;
    const { code, notes } = await run(
      folder,
      mod,
      flags,
      env,
      (text) =>
        text.replace(/^ +\{ name: "streaming.*\n/m, "").replace("max_tokens: 96", "max_tokens: 8, output: null"),
    );
    equal(code, 0, notes);
    deepEqual(server.asked, ["lib/assets/novel-neox-8m/config.json"]);
  });

  deepEqual(server.missing, []);
});

Deno.test("the documents' deno.json of one's own, which links to a checkout, loads it", async () => {
  await using folder = new TemporaryFolder();
  const [, config] = /```json\n(\{\n +"links"[^`]+)```/.exec(await Deno.readTextFile(join(project, "docs/api.md")))!;
  await Deno.writeTextFile(join(folder.path, "deno.json"), config!.replaceAll("/path/kvcompress", project));
  const mine = 'import { methods } from "@kvcompress/kvcompress";\nconsole.log(methods.tova().params);\n';
  await Deno.writeTextFile(join(folder.path, "mine.ts"), mine);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--no-prompt", "--allow-read", "--allow-env", "mine.ts"],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  equal(new TextDecoder().decode(stdout), "{ cache_size: 512 }\n");
});
