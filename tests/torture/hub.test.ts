/** Some cases of hostile hubs; `hub_cases.ts SEED COUNT` runs more. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/util/errors.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { faultsOf, faultsOfCache, run, runCase } from "./hub_cases.ts";

/** Seeds whose cases take less than a second, one of each kind: redirects, lengths, lists, hashes, ranges. */
const SLICE = [0, 2, 8, 11, 14, 19, 22, 29, 32, 35, 36, 42, 44, 50, 56, 57, 60, 64, 67, 72, 74, 76, 78, 81, 82];

for (const seed of SLICE) {
  Deno.test(`a hostile hub, of seed ${seed}, does no harm`, async () => {
    const verdict = await runCase(seed, false);
    ok(verdict.outcome !== "failed", `${verdict.damage}: ${verdict.detail}`);
    ok(verdict.ms < 10_000, `${verdict.ms}`);
  });
}

Deno.test("a seed makes the same case again", async () => {
  const of = async (seed: number) => (await Array.fromAsync(run({ seed, count: 1, wholeOneIn: 100 })))[0]!;
  const [first, second] = [await of(56), await of(56)];
  deepEqual([first.damage, first.outcome], [second.damage, second.outcome]);
});

Deno.test("the verdicts find harm in output and on the disk", async () => {
  const faults = (message: string) => faultsOf({ error: new InputError(message), said: [] }).length;
  deepEqual([faults("Cannot read x: it is y"), faults("Cannot read \x1b[2J"), faults("what?")], [0, 1, 1]);
  equal(faults(`Cannot read ${"x".repeat(2000)}`), 1);
  equal(faultsOf({ error: new TypeError("x"), said: [] }).length, 1);
  equal(faultsOf({ said: ["    at fetchFile (file:///x.ts:1:2)"] }).length, 1);
  equal(faultsOf({ said: ["the token is hf_torture_token"] }).length, 1);

  await using folder = new TemporaryFolder();
  const repo = join(folder.path, "cache", "models--org--name");
  for (const name of ["blobs", "snapshots"]) Deno.mkdirSync(join(repo, name), { recursive: true });
  Deno.writeTextFileSync(join(repo, "blobs", "9e26dfeeb6e641a33dae4961196235bdb965b21b"), "{}");
  Deno.symlinkSync("../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b", join(repo, "snapshots", "a"));
  deepEqual(await faultsOfCache(folder.path), []);
  Deno.writeTextFileSync(join(repo, "blobs", "0".repeat(40)), "{}");
  Deno.symlinkSync("/etc/passwd", join(repo, "snapshots", "b"));
  Deno.writeTextFileSync(join(folder.path, "outside"), "");
  equal((await faultsOfCache(folder.path)).length, 3);
});
