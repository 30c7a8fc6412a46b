/** Every mutant can still be planted; a handful of them is hunted. `deno task mutants` hunts all. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { CUDA_MUTANTS } from "./cuda_mutants.ts";
import { huntAll, MUTANTS } from "./hunt.ts";
import { planted } from "./mutant.ts";
import { ROOT } from "./source_copy.ts";

/** Some of each kind, of quick tests. */
const HUNTED = [
  "drops the highest score",
  "all seeds draw the same",
  "streaming_llm keeps one recent entry less",
  "angles are 0.1 % too large",
];

for (const mutant of [...MUTANTS, ...CUDA_MUTANTS]) {
  Deno.test(`"${mutant.name}" can be planted in ${mutant.file}`, () => {
    ok(planted(mutant, Deno.readTextFileSync(join(ROOT, mutant.file))).includes(mutant.replace));
  });
}

Deno.test("mutants have names of their own, and tests that exist", () => {
  const names = [...MUTANTS, ...CUDA_MUTANTS].map(({ name }) => name);
  deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
  ok(MUTANTS.length >= 30);
  for (const { tests } of MUTANTS) for (const [file] of tests) ok(existsSync(join(ROOT, file)), file);
});

Deno.test("a mutant whose text is not there once cannot be planted", () => {
  const mutant = { name: "m", file: "f", find: "a", replace: "b" };
  equal(planted(mutant, "xay"), "xby");
  equal(planted({ ...mutant, replace: "$&$&" }, "xay"), "x$&$&y");
  for (const text of ["xy", "xaya"]) throws(() => planted(mutant, text), /not once$/);
  throws(() => planted({ ...mutant, replace: "a" }, "xay"), /changes nothing$/);
});

Deno.test("a handful of mutants is caught", async () => {
  const mutants = HUNTED.map((name) => MUTANTS.find((mutant) => mutant.name === name)!);
  const hunted = await huntAll(mutants, 2, () => {});
  deepEqual(hunted.filter(({ caughtBy }) => !caughtBy).map(({ mutant }) => mutant.name), []);
  ok(hunted.every(({ how }) => !how.startsWith("ended: ")), hunted.map(({ how }) => how).join("; "));
});
