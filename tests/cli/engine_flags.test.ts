import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { SHAPES } from "../../lib/model/shapes.ts";
import { budgetMethodNames } from "../../lib/roofline/budget_methods.ts";
import { ENGINE_FLAGS, engineHelp, parseEngineFlags } from "../../lib/cli/flags/engine_flags.ts";
import { shapeConfig } from "../../lib/roofline/model_maker.ts";

const parse = (line: string) => parseEngineFlags(line.split(" "));

for (
  const [line, message] of [
    ["--lenghts 256", /^Cannot read --lenghts: there is no such flag; did you mean --lengths\?$/],
    ["--lengths 8", /^Cannot read --lengths: found "8", give an integer of at least 16/],
    ["--lengths 256 512", /^Cannot read the argument "512": a value follows its flag, .* as in --lengths 256,512$/],
    ["--methods h2o,tovva", /^Cannot read --methods: found "tovva", did you mean tova\?/],
    ["--methods all,h2o", /^Cannot read --methods: found "all"/],
    ["--shape pythia-1b --model_id .", /^Cannot use --shape and --model_id together: /],
    ["--keep --model_id .", /^Cannot use --keep with --model_id: /],
    ["--steps", /^Cannot read --steps: it has no value/],
    ["--prefills 0", /^Cannot read --prefills: found "0"/],
    ["tova", /^Cannot read the argument "tova": a value follows its flag/],
  ] as const
) {
  Deno.test(`parseEngineFlags() refuses ${line}`, () => {
    throws(() => parse(line), (error: Error) => {
      ok(error instanceof InputError);
      match(error.message, message);
      match(error.message, /^Cannot [^]*[^.]$/);
      return true;
    });
  });
}

Deno.test("parseEngineFlags() reads all, none and lists, in ascending order", () => {
  deepEqual(parse("--methods all").methods, budgetMethodNames);
  deepEqual(parse("--methods none").methods, []);
  deepEqual(parse("--methods=tova,h2o --full-lengths none --lengths 2000,256"), {
    ...parseEngineFlags([]),
    methods: ["tova", "h2o"],
    full_lengths: [],
    lengths: [256, 2000],
  });
  equal(parse("--lengths 8 --help").help, true);
});

Deno.test("engineHelp() names every flag, shape and method", () => {
  const help = engineHelp();
  for (const name of [...Object.keys(ENGINE_FLAGS).map((flag) => `--${flag}`), ...Object.keys(SHAPES)]) {
    ok(help.includes(name), name);
  }
  const words = help.replaceAll(/\s+/g, " ");
  ok(words.includes(budgetMethodNames.join(", ")));
});

Deno.test("shapeConfig() reads a config.json, and says what is wrong with it", () => {
  const path = "lib/assets/novel-neox-8m/config.json";
  equal(shapeConfig(path).model_type, "gpt_neox");
  throws(() => shapeConfig("no/such.json"), /^InputError: Cannot read no\/such.json: /);
  throws(
    () => shapeConfig("deno"),
    /^InputError: Cannot read --shape: found "deno", give one of .* or the path of a config.json$/,
  );
});
