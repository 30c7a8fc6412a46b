import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../../lib/util/errors.ts";
import { FLAG_TABLE, flagNames } from "../../lib/cli/flags/table.ts";
import type { FlagName } from "../../lib/cli/flags/types.ts";
import type { FlagSpec } from "../../lib/flags/spec.ts";
import { DEFAULTS, helpText, parseFlags, resolveDefaults } from "../../lib/cli/flags/parse.ts";
import { editDistance, suggest } from "../../lib/util/suggest.ts";

const parse = (line: string) => parseFlags(line.split(" ").filter((arg) => arg !== ""));
const refuses = (line: string, pattern: RegExp) =>
  assert.throws(() => parse(line), (error: Error) => {
    assert(error instanceof InputError, String(error));
    assert.match(error.message, pattern);
    assert.match(error.message, /^Cannot [^]*[^.]$/);
    return true;
  });
/** Returns a valid value of a flag that is not its default. */
const sample = (name: FlagName): string => {
  const special: Partial<Record<FlagName, string>> = {
    method: "fix_size_l2,h2o",
    budget: "400,50%",
    passes: "quality",
    format: "csv",
    device: "cpu",
    dtype: "float16",
    attention: "explicit",
    kernels: "ort",
    positions: "cache,seed",
    pooling: "max",
    pooling_kernel: "9",
    heavy_ratio: "0.25",
    keydiff_recent_ratio: "0",
    sink_size: "8",
    strategies: "random,keep_high",
    keep_ratios: "0.25,1",
    layer_decay: ".5",
    pyramid_profile: "linear",
  };
  return special[name] ?? (FLAG_TABLE[name].value === "LIST" ? "7,3" : "300");
};
const isSwitch = (name: FlagName) => (FLAG_TABLE[name] as FlagSpec<unknown>).read === undefined;
const valued = flagNames.filter((name) => !isSwitch(name));
const switches = flagNames.filter((name) => isSwitch(name) && name !== "help" && name !== "version");

Deno.test("parseFlags() without arguments gives the Python benchmark's defaults", () => {
  const flags = parse("");
  assert.deepEqual(flags.method, ["streaming_llm"]);
  assert.equal(flags.budget, undefined);
  assert.equal(flags.passes, "both");
  assert.deepEqual(flags.skip_layers, [0, 1]);
  assert.deepEqual(flags.recent_sizes, [252, 508, 1020]);
  assert.deepEqual(flags.keep_ratios, [0.8, 0.5, 0.3]);
  assert.equal(flags.num_samples, undefined);
  assert.deepEqual(flags.warnings, []);
  assert.equal(resolveDefaults(flags, "cuda").max_tokens, 2000);
  assert.equal(resolveDefaults(flags, "cuda").max_new_tokens, 500);
  assert.equal(resolveDefaults(flags, "cuda").num_samples, 2);
  assert.equal(resolveDefaults(flags, "cuda").num_warmup, 3);
});

Deno.test("resolveDefaults() keeps what was given, zero included", () => {
  const flags = resolveDefaults(parse("--num_warmup 0 --max_tokens 800"), "cpu");
  assert.equal(flags.num_warmup, 0);
  assert.equal(flags.max_tokens, 800);
  assert.equal(flags.num_samples, DEFAULTS.cpu.num_samples);
});

Deno.test("parseFlags() reads every flag alike: with - or _, with a space or =", () => {
  for (const name of valued) {
    const forms = [name, name.replaceAll("_", "-")].flatMap((form) => [
      [`--${form}`, sample(name)],
      [`--${form}=${sample(name)}`],
    ]);
    const [first, ...others] = forms.map((argv) => parseFlags(argv)[name]);
    for (const other of others) assert.deepEqual(other, first, name);
    assert.notDeepEqual(first, FLAG_TABLE[name].default, name);
  }
  for (const name of switches) {
    for (const form of [name, name.replaceAll("_", "-")]) {
      assert.equal(parseFlags([`--${form}`])[name], true);
      assert.equal(parseFlags([`--${form}=false`])[name], false);
    }
  }
});

Deno.test("parseFlags() does not care for the order of flags", () => {
  // A budget takes the place of sizes.
  const lines = valued.filter((name) => !(FLAG_TABLE[name] as FlagSpec<unknown>).isSize)
    .map((name) => [`--${name}`, sample(name)]);
  fc.assert(
    fc.property(fc.shuffledSubarray(lines), fc.nat(), (some, turn) => {
      const turned = some.map((_, i) => some[(i + turn) % some.length]!);
      const { warnings: _a, ...one } = parseFlags(some.flat());
      const { warnings: _b, ...two } = parseFlags(turned.flat());
      assert.deepEqual(one, two);
    }),
    { numRuns: 50 },
  );
});

Deno.test("parseFlags() never fails but with an InputError", () => {
  const word = fc.oneof(
    fc.constantFrom(
      ...flagNames.map((name) => `--${name}`),
      "--",
      "-",
      "-x",
      "-o",
      "-o=csv",
      "--no-json",
      "=",
      "1,2",
      "-1",
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (argv) => {
      try {
        parseFlags(argv);
      } catch (error) {
        assert(error instanceof InputError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("parseFlags() reads lists and none", () => {
  assert.deepEqual(parse("--skip_layers none").skip_layers, []);
  assert.deepEqual(parse("--skip_layers 0,3,7").skip_layers, [0, 3, 7]);
  assert.deepEqual(parseFlags(["--recent_sizes", "12, 28"]).recent_sizes, [12, 28]);
  assert.deepEqual(parse("--keep_ratios .5,1.0").keep_ratios, [0.5, 1]);
  refuses("--skip_layers 0,none", /Cannot read --skip_layers: found "0,none", give none alone/);
  refuses("--skip_layers -1", /--skip_layers: found "-1", give an integer of at least 0/);
});

Deno.test("parseFlags() reads words as people write them, and knows one name for each", () => {
  for (const word of ["fp16", "f16", "half", "float16", "FP16", "Half"]) {
    assert.equal(parse(`--dtype ${word}`).dtype, "float16");
  }
  for (const word of ["fp32", "float", "float32", "single"]) assert.equal(parse(`--dtype ${word}`).dtype, "float32");
  for (const word of ["bf16", "bfloat16", "BF16"]) assert.equal(parse(`--dtype ${word}`).dtype, "bfloat16");
  for (const word of ["gpu", "GPU", "nvidia", "cuda", "CUDA"]) assert.equal(parse(`--device ${word}`).device, "cuda");
  assert.equal(parse("--device auto").device, "auto");
  refuses("--dtype fp8", /--dtype: found "fp8", give one of auto, float32, float16, bfloat16$/);
  refuses("--dtype constructor", /--dtype: found "constructor"/);
});

Deno.test("parseFlags() reads ranges in every list of integers", () => {
  assert.deepEqual(parse("--skip_layers 0-3,7").skip_layers, [0, 1, 2, 3, 7]);
  // --only takes names, whatever they are.
  const ranges = valued.filter((name) => FLAG_TABLE[name].value === "LIST" && name !== "only").filter((name) => {
    try {
      return parseFlags([`--${name}=8-32*2`]);
    } catch {
      return false;
    }
  });
  assert.deepEqual(
    new Set(ranges),
    new Set([
      "budget",
      "skip_layers",
      "window_sizes",
      "recent_sizes",
      "fix_kv_sizes",
      "heavy_hitter_sizes",
      "observation_windows",
      "snapkv_keep_sizes",
      "base_sizes",
      "target_sizes",
      "cache_sizes",
    ]),
  );
  for (const name of ranges) assert.deepEqual(parseFlags([`--${name}=8-32*2`])[name], [8, 16, 32], name);
});

Deno.test("parseFlags() reads -o, and --json as the same as -o json", () => {
  for (const line of ["-o json", "-o=json", "--format json", "--json", "--json -o json"]) {
    assert.deepEqual([parse(line).format, parse(line).json], ["json", true], line);
  }
  for (const format of ["md", "csv", "jsonl"] as const) {
    assert.deepEqual([parse(`-o ${format}`).format, parse(`-o ${format}`).json], [format, false]);
    refuses(`-o ${format} --json`, /Cannot use --json and --format/);
  }
  assert.equal(parse("").format, undefined);
  refuses("-o xml", /--format: found "xml", give one of md, csv, json, jsonl/);
  refuses("-o", /--format: it has no value; give one, as in --format NAME/);
  refuses("-o md --format csv", /--format: it is given twice/);
  refuses("-x csv", /Cannot read -x: there is no such flag/);
});

Deno.test("parseFlags() reads budgets in entries and shares, mixed, with ranges", () => {
  assert.deepEqual(parse("--budget 128,0256,50.0%,12.5%,.5%").budget, [128, 256, "50%", "12.5%", "0.5%"]);
  assert.deepEqual(parse("--budget 64-256*2,25%").budget, [64, 128, 256, "25%"]);
  for (const bad of ["0", "0%", "101%", "-5%", "half", "25 %", "%", "1e3", "50%-25%", "0.0000001%"]) {
    refuses(`--budget=${bad}`, /Cannot read (--budget: found|the argument)/);
  }
  refuses("--budget 25%,25.0%", /25% is given twice/);
  refuses("--method tova --budget 64 --cache_sizes 32", /^Cannot use --budget and --cache_sizes together: each says/);
  refuses("--budget 64 --recent_sizes 32", /^Cannot use --budget and --recent_sizes together/);
  refuses("--compare_papers --budget 64 --cache_sizes 32", /^Cannot use --budget and --cache_sizes together/);
  refuses("--method adaptive_l2 --budget 64 --soft_limit 32", /^Cannot use --budget and --soft_limit together/);
  refuses("--budget 4", /^Cannot use --start_size 4 with --budget 4: nothing is left for the last entries$/);
  refuses("--method h2o --budget 8 --sink_size 5", /^Cannot use --sink_size 5 with --budget 8 and --heavy_ratio 0.5: /);
  // A default that the budget replaces is not checked.
  assert.deepEqual(parse("--method h2o --budget 64 --sink_size 20").warnings, []);
  assert.deepEqual(parse("--method snapkv,tova --budget 64,16").warnings, [
    "--query_window 32 leaves nothing of --budget 16 to choose: the last 16 are kept",
  ]);
  assert.match(parse("--method pyramid_kv --budget 32").warnings.join(), /^--budget 32 is under --min_size 64: every/);
});

Deno.test("parseFlags() takes all methods of a list into account", () => {
  assert.deepEqual(parse("--method h2o,tova,snapkv").method, ["h2o", "tova", "snapkv"]);
  assert.deepEqual(parse("--method tova,snapkv --query_window 8 --cache_sizes 64").warnings, []);
  assert.deepEqual(parse("--method tova,h2o --query_window 8").warnings, [
    "--query_window has no effect on tova, h2o; it belongs to snapkv, pyramid_snapkv",
  ]);
  // Said once, though it is true of both.
  assert.equal(parse("--method snapkv,pyramid_snapkv --cache_sizes 16").warnings.length, 1);
  refuses("--method tova,tova", /tova is given twice/);
  refuses("--method tova,adaptive_l2 --soft_limit 2000", /--soft_limit 2000: it is over --hard_limit 1024/);
  refuses("--aa --no_baseline", /Cannot use --aa and --no_baseline together/);
});

Deno.test("parseFlags() offers the nearest flag", () => {
  refuses("--fix_kv_size 256", /Cannot read --fix_kv_size: there is no such flag; did you mean --fix_kv_sizes\?/);
  refuses("--model=x", /Cannot read --model: .* did you mean --model_id\?/);
  refuses("--no-baselin", /did you mean --no_baseline\?/);
  refuses("-method x", /Cannot read -method: .* did you mean --method\?/);
  refuses("--xyzzy", /there is no such flag; --help lists them/);
  refuses("--constructor 3", /no such flag/);
  refuses("--__proto__ 3", /no such flag/);
});

Deno.test("parseFlags() offers the nearest method", () => {
  refuses("--method streaming", /--method: found "streaming", did you mean streaming_llm\? give one of baseline, /);
  refuses("--method fixsize_l2", /did you mean fix_size_l2\?/);
  refuses("--method zzz", /found "zzz", give one of baseline, recent_only/);
  refuses("--strategies keep_lo", /did you mean keep_low\?/);
  refuses("--device tpu", /--device: found "tpu", .*auto, cuda, cpu/);
});

Deno.test("parseFlags() refuses sizes that are not positive integers", () => {
  for (const bad of ["0", "-5", "1.5", "abc", "1e3", "NaN", "0x10", "99999999999", "١"]) {
    refuses(`--max_tokens ${bad}`, /Cannot read --max_tokens: found ".*", give an integer of at/);
    refuses(`--recent_sizes 252,${bad}`, /Cannot read --recent_sizes: found ".*", give an integer of at/);
  }
  refuses(
    "--max_new_tokens 1",
    /--max_new_tokens: found "1", give an integer of at least 2: the time per output token/,
  );
  assert.equal(parse("--start_size 0").start_size, 0);
  assert.equal(parse("--num_warmup 0").num_warmup, 0);
});

Deno.test("parseFlags() refuses ratios outside (0, 1]", () => {
  for (const bad of ["0", "1.1", "-0.5", "half", "5e-1", "."]) {
    refuses(`--keep_ratios ${bad}`, /Cannot read --keep_ratios: found ".*", give a number over 0 and up to 1/);
    refuses(`--layer_decay ${bad}`, /Cannot read --layer_decay: found/);
  }
});

Deno.test("parseFlags() refuses empty and doubled items", () => {
  refuses("--recent_sizes 1,,2", /--recent_sizes: found "1,,2", an item is empty/);
  refuses("--recent_sizes ,", /an item is empty/);
  refuses("--recent_sizes 256,0256", /--recent_sizes: found "256,0256", 256 is given twice/);
  refuses("--keep_ratios 0.5,.50", /0.5 is given twice/);
  refuses("--skip_layers 1,1", /1 is given twice/);
});

Deno.test("parseFlags() refuses a flag given twice", () => {
  refuses("--model_id a --model-id b", /Cannot read --model_id: it is given twice$/);
  refuses("--recent_sizes 1 --recent_sizes=2", /--recent_sizes: it is given twice; a list is written with commas/);
  refuses("--json --json", /--json: it is given twice/);
});

Deno.test("parseFlags() refuses a missing value", () => {
  refuses("--method", /Cannot read --method: it has no value; give one, as in --method streaming_llm/);
  refuses("--method --json", /--method: it has no value/);
  refuses("--output=", /--output: it has no value; give one, as in --output results/);
  refuses("--max_tokens", /--max_tokens: it has no value; give one, as in --max_tokens N/);
  refuses("--json=maybe", /--json: found "maybe", it takes no value/);
});

Deno.test("parseFlags() refuses arguments without a flag", () => {
  refuses("book.txt", /Cannot read the argument "book.txt": a value follows its flag/);
  refuses("--recent_sizes 252 508", /the argument "508": .*lists are written with commas/);
  refuses("-- x", /the argument "x"/);
  assert.deepEqual(parse("--json --").warnings, []);
});

Deno.test("parseFlags() reads how tokens are numbered", () => {
  assert.deepEqual(parse("").positions, ["absolute"]);
  assert.deepEqual(parse("--positions cache").positions, ["cache"]);
  assert.deepEqual(parse("--positions seed,absolute,cache").positions, ["seed", "absolute", "cache"]);
  refuses("--positions relative", /found "relative", give one of absolute, cache, seed/);
  refuses("--positions cache,cach", /found "cach", did you mean cache\?/);
  refuses("--positions seed,seed", /seed is given twice/);
});

Deno.test("parseFlags() refuses values that the papers' methods cannot use", () => {
  for (const bad of ["4", "0", "-1"]) refuses(`--pooling_kernel ${bad}`, /Cannot read --pooling_kernel: found/);
  refuses("--pooling median", /--pooling: found "median", .*avg, max/);
  for (const bad of ["0.5", "0", "x"]) refuses(`--pyramid_beta ${bad}`, /--pyramid_beta: .* at least 1$/);
  assert.equal(parse("--pyramid_beta 1.5").pyramid_beta, 1.5);
  for (const bad of ["1.5", "-0.1", "some"]) refuses(`--keydiff_recent_ratio ${bad}`, /a number from 0 to 1$/);
  assert.equal(parse("--keydiff_recent_ratio 0").keydiff_recent_ratio, 0);
  refuses("--heavy_ratio 0", /--heavy_ratio: found "0"/);
  refuses("--prefill_chunk 0", /--prefill_chunk: .*at least 1/);
  assert.equal(parse("--prefill-chunk 512").prefill_chunk, 512);
  refuses("--trace_every 0", /--trace_every: .*at least 1/);
  refuses("--trace 5", /Cannot read the argument "5"/);
});

Deno.test("parseFlags() refuses flags that contradict each other", () => {
  refuses("--compare_all --compare_new", /--compare_all and --compare_new together/);
  refuses("--compare_all --compare_papers", /--compare_all and --compare_papers together: each is a separate run/);
  refuses(
    "--method h2o --cache_sizes 512,8 --heavy_ratio 0.5 --sink_size 5",
    /Cannot use --sink_size 5 with --cache_sizes 8 and --heavy_ratio 0.5: they leave room for 4 at most/,
  );
  refuses("--compare_papers --cache_sizes 4", /Cannot use --start_size 4 with --cache_sizes 4: nothing is left/);
  refuses("--method baseline --no_baseline", /the first leaves out what the second asks for/);
  refuses("--method h2o,baseline --no_baseline", /the first leaves out what the second asks for/);
  refuses("--method adaptive_l2 --soft_limit 2000", /--soft_limit 2000: it is over --hard_limit 1024/);
});

Deno.test("parseFlags() warns of flags that have no effect", () => {
  assert.deepEqual(parse("--method fix_size_l2 --start_size 8").warnings, [
    "--start_size has no effect on fix_size_l2; it belongs to streaming_llm, h2o_l2",
  ]);
  assert.deepEqual(parse("--method h2o_l2 --start_size 8").warnings, []);
  assert.deepEqual(parse("--soft_limit 2000").warnings, [
    "--soft_limit has no effect on streaming_llm; it belongs to adaptive_l2",
  ]);
  assert.equal(parse("--compare_all --method h2o_l2 --start_size 8").warnings.length, 2);
  assert.deepEqual(parse("--compare_all --cache_sizes 64").warnings.length, 1);
  assert.deepEqual(
    parse("--compare_papers --cache_sizes 64 --start_size 2 --query_window 8 --heavy_ratio 0.2").warnings,
    [],
  );
  assert.deepEqual(parse("--compare_papers --recent_sizes 64").warnings.length, 1);
  assert.deepEqual(parse("--method tova --query_window 8 --cache_sizes 4").warnings, [
    "--query_window has no effect on tova; it belongs to snapkv, pyramid_snapkv",
  ]);
  assert.deepEqual(parse("--method snapkv --cache_sizes 64,16").warnings, [
    "--query_window 32 leaves nothing of --cache_sizes 16 to choose: the last 16 are kept",
  ]);
  assert.match(parse("--method keydiff --keydiff_recent_ratio 1").warnings[0]!, /leaves nothing of --cache_sizes 256/);
  assert.match(
    parse("--method pyramid_kv --base_sizes 32,256").warnings.join(),
    /^--base_sizes 32 is under --min_size/,
  );
  assert.match(
    parse("--method snapkv_lite --snapkv_keep_sizes 64").warnings.join(),
    /^--observation_windows 64 leaves nothing of --snapkv_keep_sizes 64/,
  );
});

Deno.test("parseFlags() lets --help and --version win", () => {
  assert.equal(parse("--method nonsense --help").help, true);
  assert.equal(parse("-h --xyzzy").help, true);
  assert.equal(parse("-V").version, true);
  assert.equal(parse("").help, false);
});

Deno.test("helpText() names every flag and fits 100 columns", () => {
  const help = helpText("1.2.3");
  assert.match(help, /^kvcompress 1\.2\.3: /);
  for (const name of flagNames) assert(help.includes(`--${name}`), name);
  for (const line of help.split("\n")) assert(line.length <= 100, line);
  // A default may be broken over two lines.
  const unbroken = help.replaceAll(/\s+/g, " ");
  for (const value of Object.values(DEFAULTS).flatMap((each) => Object.values(each))) {
    assert.match(unbroken, new RegExp(`[ (](default )?${value}( on C|\\))`));
  }
});

Deno.test("suggest() offers slips and beginnings, not other words", () => {
  const names = ["fix_kv_sizes", "recent_sizes", "base_sizes", "seed"] as const;
  assert.equal(suggest("fix_vk_sizes", names), "fix_kv_sizes");
  assert.equal(suggest("RECENT_SIZE", names), "recent_sizes");
  assert.equal(suggest("recent", names), "recent_sizes");
  assert.equal(suggest("sede", names), "seed");
  assert.equal(suggest("", names), undefined);
  assert.equal(suggest("window", names), undefined);
});

Deno.test("editDistance() is a distance", () => {
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("ab", "ba"), 1);
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    assert.equal(editDistance(a, b), editDistance(b, a));
    assert.equal(editDistance(a, b) === 0, a === b);
    assert(editDistance(a, b) <= Math.max(a.length, b.length));
  }));
});
