import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { parsePrecisionFlags, PRECISION_FLAGS, precisionHelp } from "../../lib/cli/flags/precision_flags.ts";
import { FLAG_TABLE } from "../../lib/cli/flags/table.ts";
import { planPrecision } from "../../lib/cli/plan_precision.ts";
import type { FlagSpec } from "../../lib/flags/spec.ts";
import { InputError } from "../../lib/util/errors.ts";

const parse = (line: string) => parsePrecisionFlags(line === "" ? [] : line.split(" "));

/** Plans a run, and keeps the notes. */
async function plan(line: string) {
  const notes: string[] = [];
  const signal = new AbortController().signal;
  const planned = await planPrecision(parse(line), {
    signal,
    onNote: (note) => notes.push(note),
    onDownload: () => {},
  });
  return { ...planned, notes };
}

for (
  const [line, message] of [
    [
      "--dtypes float64",
      /^Cannot read --dtypes: found "float64", did you mean float\d\d\? give one of float32, float16, /,
    ],
    ["--dtypes fp16,float16", /^Cannot read --dtypes: found "fp16,float16", float16 is given twice; give each once$/],
    ["--dtypes auto", /^Cannot read --dtypes: found "auto", give one of float32, float16, bfloat16$/],
    ["--dtype float16", /^Cannot read --dtype: there is no such flag; did you mean --dtypes\?$/],
    ["--method tova", /^Cannot read --method: there is no such flag/],
    ["float16", /^Cannot read the argument "float16": a value follows its flag, .* as in --dtypes float32,float16$/],
  ] as const
) {
  Deno.test(`parsePrecisionFlags() refuses ${line}`, () => {
    throws(() => parse(line), (error: Error) => {
      ok(error instanceof InputError);
      match(error.message, message);
      return true;
    });
  });
}

Deno.test("parsePrecisionFlags() reads types in order, by any of their names; the rest is as in the benchmark", () => {
  deepEqual(parse("--dtypes BF16,single,half").dtypes, ["bfloat16", "float32", "float16"]);
  equal(parse("").dtypes, undefined);
  for (const [name, flag] of Object.entries<FlagSpec<unknown>>(PRECISION_FLAGS)) {
    if (name === "dtypes" || name === "resume") continue;
    equal(flag, (FLAG_TABLE as Record<string, unknown>)[name], name);
  }
});

Deno.test("precisionHelp() names every flag, within 100 columns", () => {
  const help = precisionHelp();
  for (const name of Object.keys(PRECISION_FLAGS)) match(help, new RegExp(`--${name}\\b`));
  ok(help.split("\n").every((line) => line.length <= 100));
});

Deno.test("planPrecision() makes a full cache of each type, all compared with the widest", async () => {
  const { options, header, notes } = await plan("--dtypes bf16,fp32 --max_tokens 99 --device cuda --output /tmp/x");
  deepEqual(
    options.configurations.map(({ name, dtype, policy }) => [name, dtype, "method" in policy && policy.method]),
    [
      ["bfloat16", "bfloat16", "baseline"],
      ["float32", "float32", "baseline"],
    ],
  );
  deepEqual([options.compared_with, options.tokens, options.method], ["float32", true, "precision"]);
  deepEqual([options.max_tokens, options.device, options.output, options.chart], [99, "cuda", "/tmp/x", true]);
  match(header, /novel-neox-8m, moby_dick, seed 0: bfloat16, float32$/);
  deepEqual(notes, []);
  equal((await plan("--dtypes bf16,fp16 --passes quality --no_chart")).options.compared_with, "bfloat16");
  const { tokens, chart } = (await plan("--dtypes fp16 --passes quality --no_chart")).options;
  deepEqual([tokens, chart], [false, false]);
});

Deno.test("planPrecision() takes what a CPU has, and says what it lacks", async () => {
  const { options, notes } = await plan("--device cpu");
  deepEqual(options.configurations.map(({ dtype }) => dtype), ["float32"]);
  deepEqual(notes, [
    "The CPU computes in float32, whatever type is stored: float16 and bfloat16 are not measured; they need a GPU",
  ]);
});
