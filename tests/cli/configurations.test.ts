import assert from "node:assert/strict";
import fc from "fast-check";
import { checkPolicy } from "../../lib/policies/check_policy.ts";
import { type MethodName, methodNames, methods } from "../../lib/policies/registry.ts";
import { expand } from "../../lib/cli/expand.ts";
import { acrossPositions, type Configuration } from "../../lib/run/plan/configuration.ts";
import { parseFlags } from "../../lib/cli/flags/parse.ts";
import golden from "../fixtures/golden_sizes.json" with { type: "json" };

const planned = (line: string) => expand(parseFlags(line.split(" ").filter((arg) => arg !== "")));
const names = (line: string) => planned(line).map(({ name }) => name);
/** Configurations without a budget: their policies are made at once. */
const made = (configurations: readonly Configuration[]) =>
  configurations.map(({ policy, ...rest }) => {
    assert(typeof policy === "object", rest.name);
    return { ...rest, policy };
  });
const run = (line: string) => made(planned(line));

Deno.test("expand() puts control and method of one size next to each other", () => {
  assert.deepEqual(names(""), [
    "baseline",
    "recent_only_256",
    "streaming_256",
    "recent_only_512",
    "streaming_512",
    "recent_only_1024",
    "streaming_1024",
  ]);
});

Deno.test("expand() of fix_size_l2: sizes, strategies, ratios", () => {
  assert.deepEqual(names("--method fix_size_l2 --strategies keep_low,random --keep_ratios 0.8,0.5"), [
    "baseline",
    "recent_only_256",
    "fix256_keep_low_kr=0.8",
    "fix256_keep_low_kr=0.5",
    "fix256_random_kr=0.8",
    "fix256_random_kr=0.5",
    "recent_only_512",
    "fix512_keep_low_kr=0.8",
    "fix512_keep_low_kr=0.5",
    "fix512_random_kr=0.8",
    "fix512_random_kr=0.5",
  ]);
});

Deno.test("expand() of l2_compress: no control, no ratio 1 with a baseline", () => {
  assert.deepEqual(names("--method l2_compress"), ["baseline", "l2_kr=0.8", "l2_kr=0.5", "l2_kr=0.3"]);
  assert.deepEqual(names("--method l2_compress --keep_ratios 1,0.5"), ["baseline", "l2_kr=0.5"]);
  assert.deepEqual(names("--method l2_compress --keep_ratios 1,0.5 --no_baseline"), ["l2_kr=1.0", "l2_kr=0.5"]);
});

Deno.test("expand() of the other methods", () => {
  assert.deepEqual(names("--method h2o_l2"), [
    "baseline",
    "recent_only_480",
    "h2o_l2_480",
    "recent_only_512",
    "h2o_l2_512",
    "recent_only_576",
    "h2o_l2_576",
  ]);
  assert.deepEqual(names("--method snapkv_lite"), [
    "baseline",
    "recent_only_512",
    "snapkv_512_obs16",
    "snapkv_512_obs32",
    "snapkv_512_obs64",
  ]);
  const pairs = (kind: string) => ["baseline", ...[256, 512].flatMap((n) => [`recent_only_${n}`, `${kind}_${n}`])];
  assert.deepEqual(names("--method pyramid_kv"), pairs("pyramid"));
  assert.deepEqual(names("--method adaptive_l2"), pairs("adaptive"));
});

Deno.test("expand() of the control groups as methods", () => {
  assert.deepEqual(names("--method baseline"), ["baseline"]);
  assert.deepEqual(names("--method recent_only"), [
    "baseline",
    "recent_only_256",
    "recent_only_512",
    "recent_only_1024",
  ]);
  assert.deepEqual(names("--method recent_only --no_recent_only --no_baseline --window_sizes 64"), ["recent_only_64"]);
});

Deno.test("expand() leaves control groups out", () => {
  assert.deepEqual(names("--no_baseline --no_recent_only"), ["streaming_256", "streaming_512", "streaming_1024"]);
  assert.deepEqual(names("--no_recent_only --recent_sizes 4"), ["baseline", "streaming_8"]);
});

Deno.test("expand() of --compare_all", () => {
  const kinds = ["recent_only", "streaming", "h2o_l2", "snapkv", "pyramid", "adaptive", "fix_l2"];
  const expected = ["baseline", ...[512, 1024].flatMap((size) => kinds.map((kind) => `${kind}_${size}`))];
  assert.deepEqual(names("--compare_all"), expected);
  assert.deepEqual(
    names("--compare_all --no_recent_only --no_baseline"),
    expected.filter((name) => !/^(recent|base)/.test(name)),
  );
  const params = new Map(run("--compare_all").map(({ name, policy }) => [name, policy.params]));
  assert.deepEqual(params.get("streaming_1024"), { start_size: 4, recent_size: 1020 });
  assert.deepEqual(params.get("h2o_l2_512"), { start_size: 4, heavy_hitter_size: 64, recent_size: 444 });
  assert.deepEqual(params.get("h2o_l2_1024"), { start_size: 4, heavy_hitter_size: 128, recent_size: 892 });
  assert.deepEqual(params.get("snapkv_1024"), { observation_window: 64, keep_size: 1024, pooling_kernel: 5 });
  assert.deepEqual(params.get("pyramid_1024"), {
    base_size: 1024,
    layer_decay: 0.9,
    min_size: 128,
    profile: "exponential",
  });
  assert.deepEqual(params.get("adaptive_512"), { target_size: 512, soft_limit: 256, hard_limit: 1024 });
  assert.deepEqual(params.get("adaptive_1024"), { target_size: 1024, soft_limit: 512, hard_limit: 2048 });
  assert.deepEqual(params.get("fix_l2_512"), { fix_kv_size: 512, keep_ratio: 0.5, strategy: "keep_low" });
});

Deno.test("expand() of --compare_new", () => {
  assert.deepEqual(names("--compare_new"), [
    "baseline",
    "recent_only_512",
    "h2o_l2_512",
    "snapkv_512",
    "pyramid_512",
    "adaptive_512",
  ]);
});

Deno.test("expand() of the papers' methods", () => {
  const pairs = (kind: string) => ["baseline", ...[256, 512].flatMap((n) => [`recent_only_${n}`, `${kind}_${n}`])];
  assert.deepEqual(names("--method h2o"), pairs("h2o"));
  assert.deepEqual(names("--method tova"), pairs("tova"));
  assert.deepEqual(names("--method snapkv"), pairs("snapkv_attention"));
  assert.deepEqual(names("--method pyramid_snapkv"), pairs("pyramid_snapkv"));
  assert.deepEqual(names("--method keydiff"), pairs("keydiff"));
  const params = (line: string) => run(`${line} --no_baseline --no_recent_only`)[0]!.policy.params;
  assert.deepEqual(params("--method h2o"), { start_size: 0, heavy_size: 128, recent_size: 128 });
  assert.deepEqual(params("--method h2o --cache_sizes 101 --heavy_ratio 0.25 --sink_size 4"), {
    start_size: 4,
    heavy_size: 25,
    recent_size: 72,
  });
  const votes = { cache_size: 256, observation_window: 32, pooling: "avg", pooling_kernel: 5 };
  assert.deepEqual(params("--method snapkv"), votes);
  assert.deepEqual(params("--method snapkv --pooling max --query_window 8"), {
    ...votes,
    observation_window: 8,
    pooling: "max",
    pooling_kernel: 7,
  });
  assert.deepEqual(params("--method pyramid_snapkv --pooling max --pooling_kernel 3 --pyramid_beta 4"), {
    ...votes,
    pooling: "max",
    pooling_kernel: 3,
    beta: 4,
  });
  assert.deepEqual(params("--method keydiff"), { cache_size: 256, recent_size: 64 });
});

Deno.test("expand() of --compare_papers: every method at each size", () => {
  const kinds = ["recent_only", "streaming", "random", "h2o", "tova", "snapkv_attention", "pyramid_snapkv", "keydiff"];
  const all = (...sizes: number[]) => ["baseline", ...sizes.flatMap((size) => kinds.map((kind) => `${kind}_${size}`))];
  assert.deepEqual(names("--compare_papers"), all(256, 512));
  assert.deepEqual(names("--compare_papers --cache_sizes 64"), all(64));
  for (const { name, policy } of run("--compare_papers --cache_sizes 65")) {
    if (name === "baseline" || name === "pyramid_snapkv_65") continue;
    const kept = policy.keep({ layer: 0, layers: 8, entries: 66 });
    assert(kept !== "all" && kept.sink + kept.heavy + kept.recent === 65, name);
  }
});

Deno.test("expand() of several positions: each configuration under each, the full cache once", () => {
  assert.deepEqual(names("--positions absolute,cache --recent_sizes 4"), [
    "baseline",
    "recent_only_8@absolute",
    "recent_only_8@cache",
    "streaming_8@absolute",
    "streaming_8@cache",
  ]);
  assert.deepEqual(names("--positions seed --recent_sizes 4"), ["baseline", "recent_only_8", "streaming_8"]);
  const found = run("--positions cache,seed --recent_sizes 4 --no_recent_only");
  assert.deepEqual(found.map(({ positions }) => positions), ["cache", "cache", "seed"]);
});

Deno.test("acrossPositions() leaves configurations with positions unchanged", () => {
  const [tova, own] = acrossPositions([
    { name: "tova", policy: methods.tova() },
    { name: "own", policy: methods.tova(), positions: "seed" },
  ], ["cache"]);
  assert.deepEqual([tova!.name, tova!.positions, own!.name, own!.positions], ["tova", "cache", "own", "seed"]);
});

Deno.test("expand() tells ratios apart that round to the same name", () => {
  assert.deepEqual(names("--method l2_compress --keep_ratios 0.8,0.84,0.5"), [
    "baseline",
    "l2_kr=0.8",
    "l2_kr=0.84",
    "l2_kr=0.5",
  ]);
  // Rounded as by Python's {:.1f}.
  assert.deepEqual(names("--method l2_compress --keep_ratios 0.25,0.75,0.35,0.15"), [
    "baseline",
    "l2_kr=0.2",
    "l2_kr=0.8",
    "l2_kr=0.3",
    "l2_kr=0.1",
  ]);
});

Deno.test("expand() gives the Python benchmark's names and parameters", () => {
  const lines: Record<string, string> = {
    recent_only_128: "--method recent_only --window_sizes 128",
    recent_only_256: "--method recent_only",
    streaming_128: "--recent_sizes 124",
    streaming_256: "",
    h2o_l2_256: "--method h2o_l2 --heavy_hitter_sizes 64 --h2o_recent_size 188",
    pyramid_256: "--method pyramid_kv",
    adaptive_256: "--method adaptive_l2 --soft_limit 128 --hard_limit 512",
    baseline: "",
  };
  for (const { name, method, params } of golden) {
    const line = lines[name];
    if (line === undefined) continue; // the reference runs use other names for these
    const found = run(line).find((configuration) => configuration.name === name);
    assert(found, `${name} in ${names(line)}`);
    assert.equal(found.policy.method, method);
    for (const [key, value] of Object.entries(params)) assert.equal(found.policy.params[key], value, `${name} ${key}`);
  }
});

Deno.test("expand() never repeats a name, and each control comes right before the first of its size", () => {
  const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 });
  const ratios = fc.uniqueArray(fc.integer({ min: 1, max: 100 }).map((n) => n / 100), { minLength: 1, maxLength: 4 });
  const lists = ["window", "recent", "fix_kv", "heavy_hitter", "snapkv_keep", "base", "target", "cache"];
  const flags = fc.record({
    method: fc.constantFrom(...methodNames.filter((name) => name !== "baseline")) as fc.Arbitrary<MethodName>,
    sizes,
    windows: sizes,
    ratios,
    start: fc.nat(8),
    controls: fc.boolean(),
  });
  fc.assert(
    fc.property(flags, ({ method, sizes, windows, ratios, start, controls }) => {
      const flags = parseFlags([
        `--method=${method}`,
        ...lists.map((name) => `--${name}_sizes=${sizes}`),
        `--observation_windows=${windows}`,
        `--keep_ratios=${ratios}`,
        `--start_size=${start}`,
        "--strategies=keep_low,keep_high,random",
        "--soft_limit=10",
        ...controls ? [] : ["--no_recent_only"],
      ]);
      const found = made(expand(flags));
      const all = found.map(({ name }) => name);
      assert.equal(new Set(all).size, all.length, all.join(" "));
      assert.equal(all[0], "baseline");
      for (const { policy } of found) checkPolicy(policy, { layers: 2, maxEntries: 400 });
      const recent = found.filter(({ policy }) => policy.method === "recent_only");
      if (method === "recent_only") return assert.equal(recent.length, sizes.length);
      if (!controls || method === "l2_compress") return assert.equal(recent.length, 0);
      assert.equal(recent.length, sizes.length);
      assert.equal(found.at(-1)!.policy.method, method);
      found.forEach(({ policy }, i) => {
        if (policy.method === "recent_only") assert.equal(found[i + 1]?.policy.method, method);
      });
    }),
    { numRuns: 200 },
  );
});

Deno.test("--only leaves the configurations that it names, in the order of the table, and the full cache", () => {
  assert.deepEqual(names("--recent_sizes 252,508 --only streaming_512,recent_only_256"), [
    "baseline",
    "recent_only_256",
    "streaming_512",
  ]);
  assert.deepEqual(names("--positions absolute,cache --recent_sizes 252 --only streaming_256@cache --no_baseline"), [
    "streaming_256@cache",
  ]);
  assert.throws(
    () => names("--only streaming_257"),
    /Cannot use --only streaming_257: .* did you mean streaming_256\?/,
  );
});
