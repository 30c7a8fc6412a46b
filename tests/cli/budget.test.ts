/** `--budget`, several methods and `--aa`: from flags to configurations. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { expand } from "../../lib/cli/expand.ts";
import { optionsOf } from "../../lib/cli/flags/options_of.ts";
import { parseFlags } from "../../lib/cli/flags/parse.ts";
import { traceFileName } from "../../lib/report/results/trace.ts";
import { resolveBudget } from "../../lib/run/plan/resolve_budget.ts";

const flagsOf = (line: string) => parseFlags(line.split(" ").filter((arg) => arg !== ""));
const names = (line: string) => expand(flagsOf(line)).map(({ name }) => name);
/** Eight layers, none skipped, in a text of 2000 tokens. */
const shape = { layers: 8, acting: [0, 1, 2, 3, 4, 5, 6, 7], tokens: 2000 };
/** Name → parameters, of all but the control groups. */
const paramsOf = (line: string) =>
  Object.fromEntries(
    expand(flagsOf(`${line} --no_baseline --no_recent_only`)).map((configuration) => {
      const { name, policy } = resolveBudget(configuration, shape);
      return [name, policy.params];
    }),
  );

Deno.test("expand() of several methods: each as it is alone, one after another, controls once", () => {
  deepEqual(names("--method h2o,tova --cache_sizes 64,32"), [
    "baseline",
    "recent_only_64",
    "h2o_64",
    "recent_only_32",
    "h2o_32",
    "tova_64",
    "tova_32",
  ]);
  for (const method of ["h2o", "snapkv_lite", "l2_compress", "fix_size_l2"]) {
    deepEqual(names(`--method ${method},baseline`), names(`--method ${method}`), method);
  }
});

Deno.test("expand() with budgets: all methods at one, then at the next", () => {
  deepEqual(names("--method h2o,tova,snapkv --budget 128,25%"), [
    "baseline",
    "recent_only_128",
    "h2o_128",
    "tova_128",
    "snapkv_attention_128",
    "recent_only_25%",
    "h2o_25%",
    "tova_25%",
    "snapkv_attention_25%",
  ]);
  const budgets = expand(flagsOf("--method h2o --budget 128,25%")).map(({ budget }) => budget);
  deepEqual(budgets, [undefined, 128, 128, "25%", "25%"]);
  deepEqual(names("--method baseline --budget 64"), ["baseline"]);
  deepEqual(names("--method recent_only --budget 64"), ["baseline", "recent_only_64"]);
  deepEqual(names("--method l2_compress,adaptive_l2 --budget 64 --keep_ratios 0.8,1"), [
    "baseline",
    "recent_only_64",
    "l2_64_kr=0.8",
    "adaptive_64",
  ]);
  deepEqual(names("--budget 64 --positions cache,seed --no_recent_only"), [
    "baseline",
    "streaming_64@cache",
    "streaming_64@seed",
  ]);
});

Deno.test("expand() of groups with budgets: the group's methods at each", () => {
  const papers = ["recent_only", "streaming", "random", "h2o", "tova", "snapkv_attention", "pyramid_snapkv", "keydiff"];
  const all = ["recent_only", "streaming", "h2o_l2", "snapkv", "pyramid", "adaptive", "fix_l2"];
  const some = ["recent_only", "h2o_l2", "snapkv", "pyramid", "adaptive"];
  for (const [group, kinds] of [["papers", papers], ["all", all], ["new", some]] as const) {
    const expected = [64, "25%"].flatMap((budget) => kinds.map((kind) => `${kind}_${budget}`));
    deepEqual(names(`--compare_${group} --budget 64,25%`), ["baseline", ...expected]);
  }
});

Deno.test("a budget in entries gives the same policy as the method's own size flag", () => {
  for (
    const [own, at] of [
      ["--method h2o --cache_sizes 101 --heavy_ratio 0.2 --sink_size 3", "--heavy_ratio 0.2 --sink_size 3"],
      ["--method tova --cache_sizes 101", ""],
      ["--method snapkv --cache_sizes 101 --pooling max", "--pooling max"],
      ["--method pyramid_snapkv --cache_sizes 101 --pyramid_beta 3", "--pyramid_beta 3"],
      ["--method keydiff --cache_sizes 101", ""],
      ["--method recent_only --window_sizes 101", ""],
      ["--method streaming_llm --recent_sizes 99 --start_size 2", "--start_size 2"],
      ["--method fix_size_l2 --fix_kv_sizes 101 --strategies random,keep_low", "--strategies random,keep_low"],
      ["--method snapkv_lite --snapkv_keep_sizes 101", ""],
      ["--method pyramid_kv --pyramid_profile constant --base_sizes 101", "--pyramid_profile constant"],
    ]
  ) {
    const method = /^--method \w+/.exec(own!)![0];
    deepEqual(paramsOf(`${method} --budget 101 ${at}`), paramsOf(own!), own);
  }
});

Deno.test("budgets name a share as asked, and file names stay safe", () => {
  deepEqual(paramsOf("--method tova --budget 12.50%"), { "tova_12.5%": { cache_size: 250 } });
  match(traceFileName("tova_12.5%"), /^trace_tova_12\.5_-[0-9a-f]{8}\.json$/);
  ok(traceFileName("tova_12.5%") !== traceFileName("tova_12.5_"));
});

Deno.test("flags that a share leaves no room for are refused when its entries are known", () => {
  throws(
    () => paramsOf("--method streaming_llm --budget 0.2%"),
    /^InputError: Cannot use --start_size 4 with --budget 0.2% \(4 entries\): nothing is left for the last entries$/,
  );
});

Deno.test("optionsOf() names a run of one method or of a group, and leaves the name of several to the run", () => {
  equal(optionsOf(flagsOf("--method h2o")).method, "h2o");
  equal(optionsOf(flagsOf("--compare_papers")).method, "compare_papers");
  ok(!Object.hasOwn(optionsOf(flagsOf("--method h2o,tova")), "method"));
});

Deno.test("optionsOf() passes on what to measure and what to draw", () => {
  const { passes, repetitions, successive, divergence, chart } = optionsOf(
    flagsOf("--passes speed --repetitions 4 --successive --no_divergence --no_chart"),
  );
  deepEqual({ passes, repetitions, successive, divergence, chart }, {
    passes: "speed",
    repetitions: 4,
    successive: true,
    divergence: false,
    chart: false,
  });
  const other = optionsOf(flagsOf("-o csv --aa"));
  deepEqual([other.passes, other.successive, other.divergence, other.chart], ["both", false, true, true]);
  for (const name of ["format", "aa", "budget", "no_chart"]) ok(!Object.hasOwn(other, name), name);
});

Deno.test("--aa measures the full cache twice, the second time as baseline_again", () => {
  deepEqual(names("--aa --method tova --budget 64"), ["baseline", "baseline_again", "recent_only_64", "tova_64"]);
  deepEqual(names("--aa --positions cache,absolute --recent_sizes 4 --no_recent_only").slice(0, 3), [
    "baseline",
    "baseline_again",
    "streaming_8@cache",
  ]);
});
