/** Words among flags, and percentages. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { percent, text } from "../../lib/flags/values.ts";
import { splitWords } from "../../lib/flags/words.ts";

const table = {
  to: { group: "", help: "", value: "FILE", read: text, default: "" },
  min_time: { group: "", help: "", value: "P%", read: percent, default: 0.03 },
  format: { group: "", help: "", value: "FORMAT", read: text, default: "", short: "o" },
  all: { group: "", help: "", default: false },
};

Deno.test("words may stand before, between and after flags", () => {
  const cases: [string, string[], string[]][] = [
    ["a b", ["a", "b"], []],
    ["--to x a", ["a"], ["--to", "x"]],
    ["a --min-time 3% b --all c", ["a", "b", "c"], ["--min-time", "3%", "--all"]],
    ["--to=x a -o md", ["a"], ["--to=x", "-o", "md"]],
    ["a --to", ["a"], ["--to"]],
    ["a --unknown b", ["a", "b"], ["--unknown"]],
    ["a - -- --to b", ["a", "-", "--to", "b"], []],
    // A value may look like a flag: readFlags() says what is wrong.
    ["--to --all a", ["a"], ["--to", "--all"]],
  ];
  for (const [line, words, flags] of cases) deepEqual(splitWords(line.split(" "), table), { words, flags }, line);
});

Deno.test("a percentage has its sign", () => {
  const near = (given: string, expected: number) => equal(Number(percent("p", given).toPrecision(12)), expected);
  near("3%", 0.03);
  near("0.05 %", 0.0005);
  near(".5%", 0.005);
  near("0%", 0);
  for (const given of ["3", "0.03", "-3%", "100%", "x%", "%", "1e3%", ""]) {
    throws(() => percent("min_time", given), {
      name: "InputError",
      message: /^Cannot read --min_time: found .*such as 3%/,
    });
  }
});
