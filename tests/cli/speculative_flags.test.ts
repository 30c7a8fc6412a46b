import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { parseSpeculativeFlags, SPECULATIVE_FLAGS, speculativeHelp } from "../../lib/cli/flags/speculative_flags.ts";
import { InputError } from "../../lib/util/errors.ts";

const parse = (line: string) => parseSpeculativeFlags(line === "" ? [] : line.split(" "));

Deno.test("parseSpeculativeFlags() reads lists of drafts and gammas", () => {
  const flags = parse("--draft ngram,self:h2o:25%,oracle:0.8 --gamma 1,2,4,8,auto --lengths 128-512*2 --top_p 0.9");
  deepEqual(flags.draft, ["ngram", "self:h2o:25%", "oracle:0.8"]);
  deepEqual(flags.gamma, [1, 2, 4, 8, "auto"]);
  deepEqual(flags.lengths, [128, 256, 512]);
  deepEqual([flags.top_p, flags.temperature, flags.verify], [0.9, 0, "auto"]);
  equal(parse("").lengths, undefined);
});

for (
  const [line, message] of [
    ["--gamma 0", /found "0", give an integer of at least 1/],
    ["--gamma 4,4", /4 is given twice/],
    ["--temperature -1", /give 0 for greedy decoding/],
    ["--temperature 0.001", /give 0 for greedy decoding/],
    ["--top_p 0", /over 0 and up to 1/],
    ["--lengths 4", /at least 16/],
    ["--verify row", /did you mean rows\?/],
    ["--method tova", /there is no such flag/],
    ["--draft ngram,ngram", /ngram is given twice/],
  ] as const
) {
  Deno.test(`parseSpeculativeFlags() refuses ${line}`, () => {
    throws(() => parse(line), (error: Error) => {
      ok(error instanceof InputError);
      match(error.message, message);
      return true;
    });
  });
}

Deno.test("the help names every flag, in lines of at most 100 columns", () => {
  const help = speculativeHelp();
  for (const name of Object.keys(SPECULATIVE_FLAGS)) ok(help.includes(`--${name}`), name);
  ok(help.split("\n").every((line) => line.length <= 100));
});
